"""The composition root: settings → adapters → operations → web.

The only file that names adapters.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO
from urllib.parse import urlsplit

from bonded.blobs.local import LocalBlobs
from bonded.blobs.spool import DiskSpool
from bonded.catalog.engine import SqliteCatalog
from bonded.catalog.folder import prepare
from bonded.catalog.hot import SqliteFreshness
from bonded.model.disk import told
from bonded.model.feeds import DEFAULT, Feed, Upstream
from bonded.model.problems import BadInput, NotFound
from bonded.operations.describe import Describe
from bonded.operations.directory import Directory
from bonded.operations.pulls import Pulls
from bonded.operations.shelf import Shelf
from bonded.operations.uploads import Uploads
from bonded.ports import Index, Remote
from bonded.settings import Settings, load
from bonded.sources import machine
from bonded.sources.credentials import Address
from bonded.sources.http import HttpIndex, Web
from bonded.views.cached import Cached, Flights
from bonded.views.stack import Stack
from bonded.web.files import Files
from bonded.web.front import Front, Rooms
from bonded.web.health import Health
from bonded.web.journal import Journal
from bonded.web.simple import SimplePages
from bonded.web.upload import UploadRoute

CATALOG = "catalog.db"
#: How often a worker looks whether its parent lives, in seconds.
PARENT_WATCH = 0.4


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


@dataclass
class Folder:
    """An open data folder: the catalog, the blobs and the spool."""

    path: Path
    identity: str
    catalog: SqliteCatalog
    blobs: LocalBlobs
    spool: DiskSpool

    def close(self) -> None:
        """Let go of it."""
        self.catalog.close()
        self.spool.close()


def open_folder(path: Path) -> Folder:
    """Open a data folder, and make it if there is none. Raises `Problem` with what is wrong."""
    with told(path / CATALOG):
        _make(path)
        identity = _identity(path)
    prepare(path / CATALOG)
    return Folder(
        path=path,
        identity=identity,
        catalog=SqliteCatalog(path / CATALOG, now),
        blobs=LocalBlobs(path / "blobs"),
        spool=DiskSpool(path / "spool"),
    )


@contextmanager
def folder(path: Path) -> Iterator[Folder]:
    """An open data folder for the time of a command."""
    opened = open_folder(path)
    try:
        yield opened
    finally:
        opened.close()


def _make(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, FileNotFoundError, NotADirectoryError) as error:
        why = "it is a file" if path.is_file() else str(error.strerror)
        raise BadInput(
            f"{path} cannot be the data folder: {why}.",
            code="bad-data-folder",
            hint="Give another folder with --data or BONDED_DATA.",
        ) from None


def _identity(path: Path) -> str:
    """A word of its own for every data folder, by which its servers know their own requests."""
    file = path / "identity"
    with suppress(FileExistsError), file.open("x", encoding="ascii") as new:
        new.write(f"bonded-{secrets.token_hex(8)}\n")
    return file.read_text("ascii").strip()


@dataclass
class Upstreams:
    """The upstreams of all feeds, reached over one HTTP session."""

    folder: Folder
    feeds: Callable[[], Iterable[Feed]]
    web: Web
    flights: Flights = field(default_factory=Flights)
    _known: dict[int, HttpIndex] = field(default_factory=dict)

    def reach(self, upstream: Upstream) -> Index:
        """An upstream's index, its pages remembered in the catalog."""
        remote = self._remote(upstream)
        return Cached(remote, upstream.id, self.folder.catalog, now, self.flights)

    def remote(self, number: int) -> Remote:
        """An upstream by its number. Raises `NotFound` when no feed falls back to it any more."""
        used = (u for feed in self.feeds() for u in feed.upstreams if u.id == number)
        upstream = next(used, None)
        if upstream is None:
            raise NotFound("This upstream is not in use any more.", code="no-upstream")
        return self._remote(upstream)

    def stack(self) -> Stack:
        """Builds the indexes of the feeds as they are now."""
        return Stack({f.name: f for f in self.feeds()}, self.reach, self.folder.catalog)

    def _remote(self, upstream: Upstream) -> HttpIndex:
        if upstream.id not in self._known:
            text = upstream.spec.text
            url = machine.default_index() if text == DEFAULT else text
            self._known[upstream.id] = HttpIndex(Address.of(url), upstream.id, self.web)
        return self._known[upstream.id]


@asynccontextmanager
async def upstreams(opened: Folder) -> AsyncIterator[Upstreams]:
    """The upstreams as a command reaches them."""
    feeds = await opened.catalog.read(lambda tx: tx.feeds.all())
    web = Web(machine.trust, opened.identity)
    try:
        yield Upstreams(opened, lambda: feeds, web)
    finally:
        await web.close()


def worker() -> Front:
    """The ASGI application of one worker, set up from the environment."""
    settings = load()
    return Front(lambda: rooms(settings))


@asynccontextmanager
async def rooms(settings: Settings, log: TextIO | None = None) -> AsyncIterator[Rooms]:
    """A worker's rooms, for as long as it serves."""
    opened = open_folder(settings.data)
    freshness = SqliteFreshness(settings.data / CATALOG)
    web = Web(machine.trust, opened.identity)
    journal = Journal((log or sys.stdout) if settings.access_log else None)
    directory = Directory(opened.catalog, freshness, now)
    reached = Upstreams(opened, lambda: directory.feeds.values(), web)
    pulls = Pulls(reached.remote, opened.catalog, opened.blobs, opened.spool, journal.note)
    beside = [asyncio.create_task(w) for w in (journal.keep_flushing(), _die_with_parent())]
    try:
        await directory.refresh()
        yield _rooms(settings, opened, directory, reached, pulls, journal)
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await pulls.finish()
        await web.close()
        journal.flush()
        freshness.close()
        opened.close()


async def _die_with_parent() -> None:
    """End this worker when the process that began it was killed: nobody else would end it.

    At once, and not in good order: it is no worse than the kill, and the next server tidies up.
    """
    parent = int(os.environ.get("BONDED_PARENT", os.getppid()))
    while os.getppid() == parent:  # noqa: ASYNC110, nothing tells of it
        await asyncio.sleep(PARENT_WATCH)
    os._exit(1)


def _rooms(
    settings: Settings,
    opened: Folder,
    directory: Directory,
    reached: Upstreams,
    pulls: Pulls,
    journal: Journal,
) -> Rooms:
    shelf = Shelf(
        index=lambda feed: reached.stack().index(feed),
        directory=directory,
        uow=opened.catalog,
        freshness=directory.freshness,
        clock=now,
        rendered=journal.rendered,
    )
    uploads = Uploads(opened.catalog, opened.blobs, now)
    describe = Describe(reached.remote, opened.catalog)
    return Rooms(
        directory=directory,
        pages=SimplePages.over(shelf),
        files=Files(shelf, opened.blobs, pulls, describe),
        upload=UploadRoute(uploads, opened.spool, settings.max_file_size),
        health=Health(lambda: _ready(opened), journal),
        journal=journal,
        identity=opened.identity,
        prefix=urlsplit(settings.url or "").path.rstrip("/"),
        trusted_proxy=settings.trusted_proxy,
    )


async def _ready(opened: Folder) -> None:
    """The catalog answers and the spool takes bytes; raises `Problem` otherwise."""
    await opened.catalog.read(lambda tx: tx.feeds.all())

    def write() -> None:
        spooled = opened.spool.new()
        try:
            spooled.write(b"ready")
        finally:
            spooled.close()

    await asyncio.to_thread(write)
