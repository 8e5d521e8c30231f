"""What one worker of the server is made of."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TextIO
from urllib.parse import urlsplit

from bonded.app.folder import CATALOG, Folder, now, open_folder
from bonded.app.upstreams import Upstreams
from bonded.catalog.hot import SqliteFreshness
from bonded.operations.describe import Describe
from bonded.operations.directory import Directory
from bonded.operations.pulls import Pulls
from bonded.operations.shelf import Shelf
from bonded.operations.uploads import Uploads
from bonded.settings import Settings, load
from bonded.sources import machine
from bonded.sources.http import Web
from bonded.web.files import Files
from bonded.web.front import Front, Rooms
from bonded.web.health import Health
from bonded.web.journal import Journal
from bonded.web.simple import SimplePages
from bonded.web.upload import UploadRoute

#: How often a worker looks whether its parent lives, in seconds.
PARENT_WATCH = 0.4
THREADS = 32


def worker() -> Front:
    """The ASGI application of one worker, set up from the environment."""
    settings = load()
    return Front(lambda: rooms(settings))


@asynccontextmanager
async def rooms(settings: Settings, log: TextIO | None = None) -> AsyncIterator[Rooms]:
    """A worker's rooms, for as long as it serves."""
    # Threads wait for disks here: the default of a small machine would let six of them do so.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, "bonded"))
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
