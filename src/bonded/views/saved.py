"""What upstreams list, with what a feed has kept of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from packaging.utils import NormalizedName

from bonded.model import keys
from bonded.model.feeds import Feed
from bonded.model.files import Basis, File, Hidden, Kind, Project
from bonded.model.problems import Unavailable
from bonded.ports import Clock, Index, Row, Transaction, UnitOfWork
from bonded.views.cached import RESTING


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Saved:
    """Saved bytes win for ever: another hash under a saved filename is refused, and a saved file
    stays when the upstream drops it. Yank and status follow the upstream while it answers.
    """

    rest: Index
    feed: Feed
    uow: UnitOfWork = field(repr=False)
    clock: Clock = field(default=_now, repr=False)

    async def project(self, name: NormalizedName) -> Project:
        """The upstream's files, with the saved ones in their place."""
        rows, basis = await self.uow.read(lambda tx: self._look(tx, name))
        try:
            listed = await self.rest.project(name)
        except Unavailable:
            if not rows:
                raise
            # Not for long: nothing else would tell that the upstream answers again.
            until = Basis(valid_until=self.clock() + RESTING)
            listed = Project(name=name, absent="no upstream answers", basis=until)
        listed = replace(listed, basis=basis | listed.basis)
        return self._joined(listed, rows) if rows and not listed.owned else listed

    def _look(self, tx: Transaction, name: NormalizedName) -> tuple[dict[str, Row], Basis]:
        basis = tx.revisions.of([keys.project(self.feed.id, name)])
        rows = tx.files.of(self.feed, name)
        return {
            r.file.filename: r for r in rows if r.kind is Kind.SAVED and r.deleted is None
        }, basis

    def _joined(self, listed: Project, rows: dict[str, Row]) -> Project:
        dropped = (r.file for r in rows.values() if r.file.filename not in _names(listed))
        files = (*(_kept(f, rows) for f in listed.files), *dropped)
        hidden = (*listed.hidden, *_refused(listed.files, rows))
        return replace(listed, files=files, hidden=hidden, absent=None)


def _names(project: Project) -> set[str]:
    return {f.filename for f in project.files}


def _kept(file: File, rows: dict[str, Row]) -> File:
    row = rows.get(file.filename)
    if row is None:
        return file
    if _differs(file, row):
        return row.file
    return replace(
        row.file,
        yanked=file.yanked,
        uploaded=file.uploaded or row.file.uploaded,
        requires_python=row.file.requires_python or file.requires_python,
    )


def _differs(file: File, row: Row) -> bool:
    return file.sha256 is not None and file.sha256 != row.blob


def _refused(files: Iterable[File], rows: dict[str, Row]) -> Iterable[Hidden]:
    for file in files:
        row = rows.get(file.filename)
        if row is not None and _differs(file, row):
            yield Hidden(
                filename=file.filename,
                by="saved",
                version=str(file.version),
                reason=f"{file.source.label} now lists other bytes for it (sha256 {file.sha256});"
                " the saved ones stay",
            )
