"""Uploads and pulls from many threads at once, of which it is remembered what was answered."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path

from support.dists import Dist, wheel
from support.serving import Server, upload
from support.uploading import PATH, Place

SMALL, LARGE = 2_000, 5 << 20
UPLOADERS, PULLERS = 4, 2


def noisy(name: str, version: str, size: int) -> Dist:
    """A wheel of about `size` bytes, the same for the same name and version."""
    noise = hashlib.shake_256(f"{name} {version}".encode()).digest(size)
    return wheel(name, version, extra={"noise": noise}, stored=True)


@dataclass
class Storm:
    """`sent` has every upload that was begun, `taken` those that were answered 200."""

    token: str
    remote: list[Dist]
    sent: dict[str, Dist] = field(default_factory=dict)
    taken: dict[str, Dist] = field(default_factory=dict)
    pulled: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)
    rounds: int = 0

    @contextmanager
    def blowing(self, server: Server, *, retry: bool = False) -> Iterator[None]:
        """Everybody at work until it is left; a connection that breaks is retried, or an end."""
        self.rounds += 1
        self.stopped.clear()
        work = [(self._upload, number) for number in range(UPLOADERS)]
        work += [(self._pull, number) for number in range(PULLERS)]
        threads = [threading.Thread(target=do, args=(server, n, retry)) for do, n in work]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stopped.set()
            for thread in threads:
                thread.join(60)
            assert not any(thread.is_alive() for thread in threads)

    def _upload(self, server: Server, number: int, retry: bool) -> None:
        count = 0
        while not self.stopped.is_set():
            size = LARGE if (count + number) % UPLOADERS == 0 else SMALL
            dist = noisy(f"up{number}", f"{self.rounds}.{count}", size)
            self.sent[dist.filename] = dist
            if not self._sent(server, dist) and not retry:
                return
            count += dist.filename in self.taken

    def _sent(self, server: Server, dist: Dist) -> bool:
        """False if the connection broke."""
        try:
            reply = upload(server, PATH, dist.filename, dist.body, self.token)
        except (OSError, HTTPException):
            return False
        if reply.status == 200:
            self.taken[dist.filename] = dist
        else:
            self.wrong.append(f"upload of {dist.filename}: {reply.status} {reply.body!r}")
        return True

    def _pull(self, server: Server, number: int, retry: bool) -> None:
        # Two at a time ask for the same file.
        for dist in self.remote:
            if self.stopped.is_set():
                return
            if dist.filename in self.pulled:
                continue
            try:
                reply = server.get(f"/team/files/{dist.project}/{dist.filename}", self.token)
            except (OSError, HTTPException):
                if retry:
                    continue
                return
            if reply.status == 200 and reply.body == dist.body:
                self.pulled.add(dist.filename)
            else:
                self.wrong.append(f"pull of {dist.filename}: {reply.status}")


def held(data: Path) -> dict[str, tuple[str, str]]:
    """What the catalog lists: hash and kind by filename."""
    catalog = sqlite3.connect(data / "catalog.db")
    try:
        query = "SELECT filename, blob, kind FROM files WHERE deleted IS NULL"
        return {name: (blob, kind) for name, blob, kind in catalog.execute(query)}
    finally:
        catalog.close()


def verify(place: Place, storm: Storm, fresh: set[str]) -> None:
    """Nothing acknowledged is lost, nothing else is there, and all that is there is right.

    Of `fresh` files the bytes are fetched too.
    """
    assert storm.wrong == []
    listing = held(place.bonded.data)
    assert place.spooled == []
    assert place.blobs == {blob for blob, _ in listing.values()}
    remote = {d.filename: d.sha256 for d in storm.remote}
    for filename, (blob, kind) in listing.items():
        known = storm.sent[filename].sha256 if kind == "hosted" else remote[filename]
        assert blob == known, filename
    assert set(storm.taken) <= set(listing)
    pages = {n: place.files(f"up{n}") for n in range(UPLOADERS)}
    shown = {name: f["hashes"]["sha256"] for page in pages.values() for name, f in page.items()}
    assert shown == {name: blob for name, (blob, kind) in listing.items() if kind == "hosted"}
    for filename in fresh:
        dist = storm.taken[filename]
        assert place.file(f"/team/files/{dist.project}/{filename}").body == dist.body
