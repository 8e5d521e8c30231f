"""Owned names to their owner, all others to the rest."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from packaging.utils import NormalizedName

from bonded.model import keys
from bonded.model.feeds import Claim, Feed
from bonded.model.files import Basis, Project
from bonded.ports import Index, Transaction, UnitOfWork


@dataclass(frozen=True)
class Routed:
    """A name that a feed claims is answered by its owner, and the rest is never asked for it.

    Claims are rows, not presence: a claimed name whose last file was deleted stays absent.
    """

    owner: Index
    rest: Index
    feed: Feed
    uow: UnitOfWork = field(repr=False)

    async def project(self, name: NormalizedName) -> Project:
        """The project, from its owner alone if its name is owned."""
        claim, basis = await self.uow.read(lambda tx: self._claim(tx, name))
        found = await (self.rest if claim is None else self.owner).project(name)
        found = replace(found, basis=basis | found.basis, owned=found.owned or claim is not None)
        if claim is not None and found.absent is not None:
            found = replace(found, absent=f"{found.absent}, and no upstream is asked: {claim}")
        return found

    def _claim(self, tx: Transaction, name: NormalizedName) -> tuple[Claim | None, Basis]:
        basis = tx.revisions.of(
            [
                keys.CLAIMS,
                keys.settings(self.feed.id),
                keys.patterns(self.feed.id),
                keys.project(self.feed.id, name),
            ]
        )
        return tx.claims.covering(self.feed, name), basis
