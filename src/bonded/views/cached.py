"""An upstream's pages, remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from packaging.utils import NormalizedName

from bonded.model import keys
from bonded.model.files import Basis, Project
from bonded.model.problems import NoRoom, Unavailable
from bonded.ports import Answer, Clock, Listing, Remote, Transaction, UnitOfWork

#: How long a page is taken for fresh when the upstream does not say, and at most and least.
UNSAID, LONGEST, SHORTEST = timedelta(minutes=5), timedelta(hours=1), timedelta(seconds=10)
#: How long an upstream is believed to know nothing of a name.
ABSENT = timedelta(minutes=1)
#: The code of the problem that is one of the upstream as a whole, and not of one page.
UNREACHABLE = "upstream-unreachable"
#: Of how many names at most that is remembered.
REMEMBERED = 10_000
#: How long an upstream that failed is left alone while there is a page to show.
RESTING = timedelta(seconds=15)
#: How long a client waits for a stale page to be revalidated before it gets the stale one.
PATIENCE = 3.0


@dataclass
class Flights:
    """What is being asked of upstreams by this process: each thing once, however many wait."""

    running: dict[object, asyncio.Future[Project]] = field(default_factory=dict)
    failed: dict[object, tuple[datetime, Unavailable]] = field(default_factory=dict)
    absent: dict[object, Project] = field(default_factory=dict)

    def join(self, key: object, start: Callable[[], Awaitable[Project]]) -> asyncio.Future[Project]:
        """The flight for `key`: the one in the air, or a new one, which nobody's leaving ends."""
        if key not in self.running:
            future = asyncio.ensure_future(start())
            self.running[key] = future
            future.add_done_callback(lambda done: self._landed(key, done))
        return self.running[key]

    def vain(self, key: object, project: Project) -> None:
        """Remember that there is nothing of that name: here, as anybody can ask for any name."""
        self.absent.pop(key, None)
        self.absent[key] = project
        if len(self.absent) > REMEMBERED:
            del self.absent[next(iter(self.absent))]

    def _landed(self, key: object, done: asyncio.Future[Project]) -> None:
        self.running.pop(key, None)
        if not done.cancelled():
            # Somebody who gave up waiting may have been the only one: this is not news.
            done.exception()


@dataclass(frozen=True)
class Cached:
    """Pages kept in the catalog, revalidated when no longer fresh, shown stale on a failure."""

    remote: Remote
    id: int
    uow: UnitOfWork = field(repr=False)
    clock: Clock = field(repr=False)
    flights: Flights = field(repr=False)

    async def project(self, name: NormalizedName) -> Project:
        """The upstream's page, as fresh as can be had."""
        known = await self.uow.read(lambda tx: tx.listings.get(self.id, name))
        if known is not None and known.origin != self.remote.label:
            # Of another server, which this upstream was by then.
            known = None
        if known is not None and self.clock() < known.fresh_until:
            return _shown(known)
        key = (self.id, name)
        vain = self.flights.absent.get(key)
        if known is None and vain is not None and self.clock() < _until(vain):
            return vain
        flight = partial(self.flights.join, key, lambda: self._refresh(name, known))
        if known is None or known.project.absent is not None:
            # That there was nothing is no page: while the upstream fails it is not known (503),
            # or the next one might answer with a stranger's project.
            return await asyncio.shield(flight())
        failed = self.flights.failed.get(self.id)
        resting = failed is not None and self.clock() < failed[0] + RESTING
        return self._stale(known) if resting else await self._arrival(flight(), known)

    async def _arrival(self, flight: asyncio.Future[Project], known: Listing) -> Project:
        done, _ = await asyncio.wait([flight], timeout=PATIENCE)
        if not done:
            return self._stale(known)
        try:
            return flight.result()
        except (Unavailable, NoRoom):
            return self._stale(known)

    def _stale(self, known: Listing) -> Project:
        return _shown(replace(known, fresh_until=self.clock() + RESTING))

    async def _refresh(self, name: NormalizedName, known: Listing | None) -> Project:
        try:
            answer = await self.remote.ask(name, known.validators if known else None)
        except Unavailable as problem:
            if problem.code == UNREACHABLE:
                self.flights.failed[self.id] = (self.clock(), problem)
            raise
        self.flights.failed.pop(self.id, None)
        if known is None and answer.project is not None and answer.project.absent is not None:
            return await self._vain(answer.project)
        return await self._keep(name, answer)

    async def _vain(self, project: Project) -> Project:
        basis = await self.uow.read(lambda tx: self.basis(tx, project.name))
        basis = replace(basis, valid_until=self.clock() + ABSENT)
        self.flights.vain((self.id, project.name), replace(project, basis=basis))
        return replace(project, basis=basis)

    async def _keep(self, name: NormalizedName, answer: Answer) -> Project:
        until = self.clock() + _lifetime(answer)

        def keep(tx: Transaction) -> Listing:
            if answer.project is None:
                tx.listings.renew(self.id, name, until)
            else:
                listing = Listing(
                    origin=self.remote.label,
                    project=answer.project,
                    validators=answer.validators,
                    fresh_until=until,
                )
                tx.listings.put(self.id, listing)
            kept = tx.listings.get(self.id, name)
            assert kept is not None, "an upstream said 'not modified' of a page never asked for"
            return kept

        return _shown(await self.uow.write(keep))

    def basis(self, tx: Transaction, name: NormalizedName) -> Basis:
        """What a page made from this one depends on."""
        return tx.revisions.of([keys.listing(self.id, name)])


def _until(project: Project) -> datetime:
    assert project.basis.valid_until is not None
    return project.basis.valid_until


def _shown(listing: Listing) -> Project:
    basis = replace(listing.project.basis, valid_until=listing.fresh_until)
    return replace(listing.project, basis=basis)


def _lifetime(answer: Answer) -> timedelta:
    if answer.project is not None and answer.project.absent is not None:
        return ABSENT
    if answer.max_age is None:
        return UNSAID
    return min(max(timedelta(seconds=answer.max_age), SHORTEST), LONGEST)
