"""What a feed hosts itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from packaging.utils import NormalizedName

from bonded.model import keys
from bonded.model.feeds import Feed
from bonded.model.files import Basis, Hidden, Kind, Project
from bonded.ports import Row, Transaction, UnitOfWork
from bonded.simple import times


@dataclass(frozen=True)
class Hosted:
    """The files uploaded to a feed. Says of every other file it holds why it is not shown."""

    feed: Feed
    uow: UnitOfWork = field(repr=False)

    async def project(self, name: NormalizedName) -> Project:
        """The hosted files of a project."""
        rows, basis = await self.uow.read(lambda tx: self._look(tx, name))
        shown = tuple(r.file for r in rows if r.kind is Kind.HOSTED and r.deleted is None)
        absent = None if shown else f"feed {self.feed.name} hosts no file of {name}"
        return Project(
            name=name, files=shown, hidden=tuple(_unshown(rows)), basis=basis, absent=absent
        )

    def _look(self, tx: Transaction, name: NormalizedName) -> tuple[list[Row], Basis]:
        basis = tx.revisions.of([keys.project(self.feed.id, name), keys.settings(self.feed.id)])
        return tx.files.of(self.feed, name), basis


def _unshown(rows: Iterable[Row]) -> Iterable[Hidden]:
    for row in rows:
        if row.deleted is not None:
            reason = f"it was deleted on {times.render(row.deleted)[:10]}"
        elif row.kind is Kind.SAVED:
            reason = "it was saved from an upstream before this feed took the name over"
        else:
            continue
        yield Hidden(
            filename=row.file.filename, by="hosted", reason=reason, version=str(row.file.version)
        )
