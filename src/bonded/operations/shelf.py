"""Rendered pages at hand: each made at most once per change, by the first read that needs it."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import zlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace

from packaging.utils import NormalizedName

from bonded.model import keys
from bonded.model.feeds import Feed
from bonded.model.files import Basis, Entry, Kind, Project
from bonded.model.problems import Forbidden, NoRoom, NotFound, Problem
from bonded.operations.directory import Directory
from bonded.ports import Clock, Freshness, Index, StoredPage, Transaction, UnitOfWork
from bonded.simple import entries, render

LEVEL = 2  #: of gzip: pages compress well at any, and the first reader waits for it
IN_A_THREAD = 100  #: files from which rendering leaves the event loop
TRIES = 3
ROOT = ""
BATCH = 5000


@dataclass(slots=True)
class Ready:
    """A page in memory. `json` and `html` are filled when a client without gzip asks."""

    page: StoredPage
    json: bytes | None = None
    html: bytes | None = None
    entries: dict[str, Entry] | None = None
    generation: int = -1
    counted: int = 0

    @property
    def cost(self) -> int:
        """About how many bytes of memory it takes."""
        page, parsed = self.page, 0 if self.entries is None else 8
        plain = len(self.json or b"") + len(self.html or b"")
        return len(page.json_gz) + len(page.html_gz) + (1 + parsed) * len(page.entries) + plain


Maker = Callable[[Feed, NormalizedName], Awaitable[Ready]]


@dataclass
class Shelf:
    """The pages of all feeds, as they are now."""

    index: Callable[[Feed], Index]
    directory: Directory
    uow: UnitOfWork
    freshness: Freshness
    clock: Clock
    rendered: Callable[[int], None]
    limit: int = 32 << 20  #: bytes of memory for pages
    _ready: OrderedDict[tuple[int, str], Ready] = field(default_factory=OrderedDict, repr=False)
    _making: dict[tuple[int, str], asyncio.Future[Ready]] = field(default_factory=dict, repr=False)
    _held: int = 0

    async def project(self, feed: Feed, name: NormalizedName) -> Ready:
        """The page of a project. Raises `NotFound`, `Forbidden` or `Unavailable`."""
        return await self._get(feed, name, self._make_project)

    async def root(self, feed: Feed) -> Ready:
        """The list of the projects that a feed holds."""
        return await self._get(feed, NormalizedName(ROOT), self._make_root)

    def peek(self, feed: Feed, name: str) -> Ready | None:
        """The page, if it is at hand and known to hold: no look-up but this one."""
        ready = self._ready.get((feed.id, name))
        if ready is None or ready.generation != self.directory.generation:
            return None
        until = ready.page.basis.valid_until
        return ready if until is None or self.clock() < until else None

    async def entry(self, feed: Feed, name: NormalizedName, filename: str) -> Entry:
        """A file as the page has it, so that what holds for the page holds for the file."""
        ready = self.peek(feed, name) or await self.project(feed, name)
        if ready.entries is None:
            ready.entries = entries.entries(ready.page.entries, name)
            self._charge(ready)
        found = ready.entries.get(filename)
        if found is None:
            raise NotFound(
                f"{filename} is not a file of {name} in the feed {feed.name}.", code="no-such-file"
            )
        if found.file is None:
            raise _refusal(filename, found)
        return found

    def plain(self, ready: Ready, *, json: bool) -> bytes:
        """The page uncompressed."""
        body = ready.json if json else ready.html
        if body is None:
            body = gzip.decompress(ready.page.json_gz if json else ready.page.html_gz)
            if json:
                ready.json = body
            else:
                ready.html = body
            self._charge(ready)
        return body

    async def _get(self, feed: Feed, name: NormalizedName, make: Maker) -> Ready:
        key = (feed.id, name)
        ready = self.peek(feed, name) or self._stored(key)
        for _ in range(TRIES):
            if ready is not None:
                break
            made = await self._made(key, lambda: make(feed, name))
            # A change while it was made shows: the answer to a request never lacks what was
            # committed before it came in, nor, but for a storm of changes, what came in between.
            ready = self._shelve(key, made) if self._holds(made) else None
            if ready is None:
                await self.directory.refresh()
        return ready or made

    def _stored(self, key: tuple[int, str]) -> Ready | None:
        """From memory or the catalog, if what it was made from has not changed."""
        ready = self._ready.get(key)
        if ready is None or not self._holds(ready):
            page = self.freshness.page(*key)
            ready = Ready(page) if page is not None else None
        return self._shelve(key, ready) if ready is not None and self._holds(ready) else None

    def _holds(self, ready: Ready) -> bool:
        until = ready.page.basis.valid_until
        fresh = until is None or self.clock() < until
        return fresh and self.freshness.holds(ready.page.basis)

    def _shelve(self, key: tuple[int, str], ready: Ready) -> Ready:
        """Put a page that was just found to hold where it is found without asking again."""
        ready.generation = self.directory.generation
        old = self._ready.pop(key, None)
        self._held -= old.counted if old is not None else 0
        ready.counted = 0
        self._ready[key] = ready
        self._charge(ready)
        return ready

    def _charge(self, ready: Ready) -> None:
        self._held += ready.cost - ready.counted
        ready.counted = ready.cost
        while self._held > self.limit and len(self._ready) > 1:
            _, dropped = self._ready.popitem(last=False)
            self._held -= dropped.counted
            dropped.counted = 0

    def _made(self, key: tuple[int, str], make: Callable[[], Awaitable[Ready]]) -> Awaitable[Ready]:
        """One making in flight for each page; that its first reader leaves does not end it."""
        if key not in self._making:
            task = asyncio.ensure_future(make())
            self._making[key] = task
            task.add_done_callback(lambda done: self._finished(key, done))
        return asyncio.shield(self._making[key])

    def _finished(self, key: tuple[int, str], done: asyncio.Future[Ready]) -> None:
        del self._making[key]
        if not done.cancelled():
            done.exception()

    async def _make_project(self, feed: Feed, name: NormalizedName) -> Ready:
        settings = self.directory.settings
        project = await self.index(self._as_is(feed)).project(name)
        # The views are those of the settings known here, though others have come by the time they
        # look into the catalog.
        project = replace(project, basis=project.basis.at_most(settings))
        if project.absent is not None:
            raise NotFound(
                f"The feed {feed.name} has no project {name}: {project.absent}.",
                code="no-such-project",
            )
        known = self.freshness.page(feed.id, name)
        if known is not None and known.basis.revisions == project.basis.revisions:
            return Ready(replace(known, basis=project.basis))
        if len(project.files) > IN_A_THREAD:
            page = await asyncio.to_thread(_page, project)
        else:
            page = _page(project)
        self.rendered(len(page.json_gz) + len(page.html_gz))
        await self._store(project, lambda tx: _keep(tx, feed, project, page))
        return Ready(page)

    def _as_is(self, feed: Feed) -> Feed:
        known = self.directory.feeds.get(feed.name)
        return known if known is not None and known.id == feed.id else feed

    async def _store(self, project: Project, keep: Callable[[Transaction], None]) -> None:
        try:
            await self.uow.write(keep)
        except NoRoom:
            # What is held is served on a full disk too; only what an upstream's page commits us
            # to (first origin wins) must not be shown without being remembered.
            if any(f.source.kind is Kind.UPSTREAM for f in project.files):
                raise

    async def _make_root(self, feed: Feed, _name: NormalizedName) -> Ready:
        page = await self.uow.read(lambda tx: _root(tx, feed))
        self.rendered(len(page.json_gz) + len(page.html_gz))
        with suppress(NoRoom):
            await self.uow.write(lambda tx: tx.pages.put(feed.id, ROOT, page))
        return Ready(page)


def _page(project: Project) -> StoredPage:
    json = render.json_page(project)
    return StoredPage(
        basis=project.basis,
        etag=hashlib.sha256(json).hexdigest()[:20],
        json_gz=gzip.compress(json, LEVEL, mtime=0),
        html_gz=gzip.compress(render.html_page(project), LEVEL, mtime=0),
        entries=entries.encode(project),
    )


def _keep(tx: Transaction, feed: Feed, project: Project, page: StoredPage) -> None:
    """Keep a page, unless what it was made from has changed meanwhile."""
    wanted = [key for key, _ in page.basis.revisions]
    if tx.revisions.of(wanted).revisions != page.basis.revisions:
        return
    tx.pages.put(feed.id, project.name, page)
    # First origin wins: from now on an upload of this name needs a take-over.
    known = tx.projects.get(feed, project.name)
    if not project.owned and (known is None or known.kind is Kind.HOSTED):
        tx.projects.put(feed, project.name, Kind.UPSTREAM)
    for hidden in project.hidden:
        if hidden.by == "saved":
            detail = hidden.reason
            tx.audit.once("bonded", "refuse-upstream-file", feed, hidden.filename, detail)


def _root(tx: Transaction, feed: Feed) -> StoredPage:
    basis: Basis = tx.revisions.of([keys.names(feed.id)])
    json = _packed(render.json_root(_names(tx, feed)))
    return StoredPage(
        basis=basis,
        etag=hashlib.sha256(json).hexdigest()[:20],
        json_gz=json,
        html_gz=_packed(render.html_root(_names(tx, feed))),
        entries=entries.encode(Project(name=NormalizedName(ROOT))),
    )


def _names(tx: Transaction, feed: Feed) -> Iterator[NormalizedName]:
    last = ""
    while batch := tx.projects.names(feed, last, BATCH):
        yield from batch
        last = batch[-1]


def _packed(pieces: Iterator[bytes]) -> bytes:
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return b"".join((*map(packer.compress, pieces), packer.flush()))


def _refusal(filename: str, entry: Entry) -> Problem:
    kind = Forbidden if entry.status == 403 else NotFound
    return kind(f"{filename} is not served: {entry.reason}.", code="file-hidden")
