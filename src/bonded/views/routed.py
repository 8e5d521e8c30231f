"""Owned names to their owner, all others to the rest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from packaging.utils import NormalizedName

from bonded.model import keys
from bonded.model.feeds import Claim, Feed
from bonded.model.files import Basis, Project
from bonded.ports import Index, Transaction, UnitOfWork


@dataclass(frozen=True)
class Routed:
    """A name that a feed claims is answered by its owner, and the rest is never asked for it.

    Claims are rows, not presence: a claimed name whose last file was deleted stays absent. What a
    feed behind this one claims is its own, whatever stands before it in the order; `behind` has
    those feeds, each with the index by which it is reached.
    """

    owner: Index
    rest: Index
    feed: Feed
    uow: UnitOfWork = field(repr=False)
    behind: tuple[tuple[Feed, Index], ...] = field(default=(), repr=False)

    async def project(self, name: NormalizedName) -> Project:
        """The project, from its owner alone if its name is owned."""
        (claim, index), basis = await self.uow.read(lambda tx: self._look(tx, name))
        found = await index.project(name)
        found = replace(found, basis=basis | found.basis, owned=found.owned or claim is not None)
        if index is self.owner and claim is not None and found.absent is not None:
            found = replace(found, absent=f"{found.absent}, and no upstream is asked: {claim}")
        return found

    def _look(
        self, tx: Transaction, name: NormalizedName
    ) -> tuple[tuple[Claim | None, Index], Basis]:
        basis = tx.revisions.of([keys.CLAIMS, *self._keys(name)])
        return self._claim(tx, name), basis

    def _keys(self, name: NormalizedName) -> Iterator[str]:
        for number in dict.fromkeys((self.feed.id, *(feed.id for feed, _ in self.behind))):
            yield keys.settings(number)
            yield keys.patterns(number)
            yield keys.project(number, name)

    def _claim(self, tx: Transaction, name: NormalizedName) -> tuple[Claim | None, Index]:
        for feed, index in ((self.feed, self.owner), *self.behind):
            claim = tx.claims.covering(feed, name)
            if claim is not None:
                return claim, index
        return None, self.rest
