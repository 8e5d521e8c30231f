"""What is told of requests: a line each in the access log, and counters."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime
from functools import lru_cache
from time import monotonic
from typing import TextIO

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

FLUSH = 0.1
#: Seconds until the same thing is noted again.
AGAIN = 30.0
MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"


class Journal:
    """The access log, written in batches, and the counters of this process."""

    def __init__(self, log: TextIO | None = None) -> None:
        self._log = log
        self._lines: list[str] = []
        self._noted: dict[str, float] = {}
        self._registry = CollectorRegistry()
        on = None if MULTIPROCESS in os.environ else self._registry
        self.requests = Counter(
            "bonded_requests", "Requests answered.", ["route", "status"], registry=on
        )
        self.seconds = Histogram(
            "bonded_request_seconds", "Seconds to the end of an answer.", ["route"], registry=on
        )
        self.sent = Counter("bonded_sent_bytes", "Bytes of bodies sent.", registry=on)
        self.pages = Counter("bonded_pages_rendered", "Pages rendered.", registry=on)
        self.page_bytes = Counter(
            "bonded_rendered_bytes", "Compressed bytes of pages rendered.", registry=on
        )
        self._child = lru_cache(maxsize=256)(self._bound)

    def _bound(self, route: str, status: int) -> tuple[Counter, Histogram]:
        return self.requests.labels(route, str(status)), self.seconds.labels(route)

    def rendered(self, size: int) -> None:
        """A page was rendered, of so many compressed bytes."""
        self.pages.inc()
        self.page_bytes.inc(size)

    @property
    def logs(self) -> bool:
        """Whether there is an access log to write."""
        return self._log is not None

    def answered(self, route: str, status: int, size: int, seconds: float) -> None:
        """A request was answered."""
        count, time = self._child(route, status)
        count.inc()
        time.observe(seconds)
        self.sent.inc(size)

    def access(self, who: str, line: str, status: int, size: int, seconds: float) -> None:
        """A line of the access log. `line` is method and path: never a query, nor a header."""
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self._lines.append(f"{at} {who} {line} {status} {size} {seconds * 1000:.1f}ms\n")

    def note(self, message: str) -> None:
        """A line about something other than a request."""
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self._lines.append(f"{at} note {_printable(message)}\n")

    def note_once(self, message: str) -> None:
        """A line that many requests would have written, once in a while."""
        now = monotonic()
        if now - self._noted.get(message, -AGAIN) >= AGAIN:
            self._noted = {m: t for m, t in self._noted.items() if now - t < AGAIN}
            self._noted[message] = now
            self.note(message)

    def flush(self) -> None:
        """Write what was collected."""
        lines, self._lines = self._lines, []
        if lines:
            out = self._log or sys.stderr
            out.write("".join(lines))
            out.flush()

    async def keep_flushing(self) -> None:
        """Write every tenth of a second."""
        while True:
            await asyncio.sleep(FLUSH)
            self.flush()

    def metrics(self) -> bytes:
        """The counters of all workers, in Prometheus's text format."""
        if MULTIPROCESS not in os.environ:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)
