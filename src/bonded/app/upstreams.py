"""The upstreams of all feeds, as they are reached from here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bonded.app.folder import Folder, now
from bonded.model.feeds import DEFAULT, Feed, Upstream
from bonded.model.problems import NotFound
from bonded.ports import Index, Remote
from bonded.sources import machine
from bonded.sources.credentials import Address
from bonded.sources.http import HttpIndex, Web
from bonded.views.cached import Cached, Flights
from bonded.views.stack import Stack


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
