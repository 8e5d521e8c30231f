"""A server with private feeds before upstreams, for the tests of a module."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.clients.machine import Machine, with_user
from support.dists import Dist
from support.serving import Bonded, Server, serving
from support.upstream import Upstream, running


@dataclass
class Dated(Upstream):
    """An upstream whose files may each have a time of their own."""

    times: dict[str, str] = field(default_factory=dict)

    def _file(self, dist: Dist) -> dict[str, Any]:
        file = super()._file(dist)
        if dist.filename in self.times:
            file["upload-time"] = self.times[dist.filename]
        return file


@dataclass
class Place:
    """A server, its command, and folders."""

    bonded: Bonded
    server: Server
    folder: Path
    _tokens: dict[tuple[str, str], str] = field(default_factory=dict)

    def feed(self, name: str, *upstreams: str) -> None:
        options = [part for url in upstreams for part in ("--upstream", url)]
        self.bonded.run("feed", "create", name, *options)

    def token(self, feed: str, scope: str = "read") -> str:
        """A token for a feed, minted once."""
        if (feed, scope) not in self._tokens:
            self._tokens[feed, scope] = self.bonded.token(feed, scope=scope)
        return self._tokens[feed, scope]

    def upload(self, feed: str, *dists: Dist) -> None:
        paths = [dist.write(self.folder / "uploads") for dist in dists]
        self.bonded.run("upload", "--feed", feed, *paths)

    def plain_index(self, feed: str) -> str:
        return f"{self.server.url}/{feed}/simple/"

    def index(self, feed: str) -> str:
        """The index's URL, with a token for reading in it."""
        return with_user(self.plain_index(feed), "__token__", self.token(feed))

    def page(self, feed: str, project: str) -> dict[str, dict[str, Any]]:
        """The files of a project's page, by name."""
        page = self.server.page(f"/{feed}/simple/{project}/", self.token(feed))
        return {file["filename"]: file for file in page["files"]}

    def log_since(self, start: int) -> list[str]:
        """The requests answered since the log was `start` long, as `METHOD path status`."""
        mark = f"/healthz/mark-{time.monotonic_ns()}"
        self.server.get(mark)
        end = time.monotonic() + 20
        while mark not in (text := self.server.log.read_text()[start:]):
            assert time.monotonic() < end, "the access log does not come"
            time.sleep(0.02)
        return [_said(line) for line in text.splitlines() if mark not in line and "' " in line]

    def log_length(self) -> int:
        self.log_since(0)
        return len(self.server.log.read_text())


def _said(line: str) -> str:
    return " ".join(line.partition("' ")[2].split()[:3])


@contextmanager
def placed(folder: Path) -> Iterator[Place]:
    """Run a server in a folder, until it is left."""
    bonded = Bonded(folder / "data")
    with serving(bonded, "--workers", "1") as server:
        yield Place(bonded, server, folder)


@contextmanager
def upstreams(*each: Upstream) -> Iterator[None]:
    """Run upstreams, until they are left."""
    with ExitStack() as stack:
        for one in each:
            stack.enter_context(running(one))
        yield


def machine(folder: Path) -> Machine:
    """A fresh machine."""
    return Machine(folder / "home")
