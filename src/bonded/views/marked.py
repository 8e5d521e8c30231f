"""The status a feed gives to a project."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from packaging.utils import NormalizedName

from bonded.model import keys
from bonded.model.feeds import Feed
from bonded.model.files import Basis, Hidden, Project, Standing, Status
from bonded.ports import Index, Transaction, UnitOfWork


@dataclass(frozen=True)
class Marked:
    """A project's status as the feed set it, else as its source has it.

    PEP 792: a quarantined project offers no files.
    """

    index: Index
    feed: Feed
    uow: UnitOfWork = field(repr=False)

    async def project(self, name: NormalizedName) -> Project:
        """The project with its status."""
        given, basis = await self.uow.read(lambda tx: self._given(tx, name))
        project = await self.index.project(name)
        project = replace(project, basis=basis | project.basis, status=given or project.status)
        if project.status.standing is not Standing.QUARANTINED or project.absent is not None:
            return project
        return _withheld(project, f"feed {self.feed.name}" if given else "its upstream")

    def _given(self, tx: Transaction, name: NormalizedName) -> tuple[Status | None, Basis]:
        basis = tx.revisions.of([keys.project(self.feed.id, name)])
        known = tx.projects.get(self.feed, name)
        return (known.status if known else None), basis


def _withheld(project: Project, by: str) -> Project:
    reason = f"the project is quarantined by {by}"
    if project.status.reason:
        reason += f": {project.status.reason}"
    hidden = (
        Hidden(filename=f.filename, by="marked", reason=reason, status=403, version=str(f.version))
        for f in project.files
    )
    return replace(project, files=(), hidden=(*project.hidden, *hidden))
