"""Say of each file of a project whether it is shown, by which view, and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from packaging.utils import NormalizedName
from packaging.version import Version

from bonded.model.feeds import Feed
from bonded.model.files import File, Kind, Project
from bonded.model.names import FeedName
from bonded.ports import Index, UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What is to be said of one file."""

    filename: str
    version: str | None
    shown: bool
    by: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A project in a feed, file by file; `owner` says whose name it is."""

    feed: FeedName
    name: NormalizedName
    owner: str
    status: str
    absent: str | None
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Explain:
    """Asks a feed's views, as a page is made, and keeps what they say."""

    index: Callable[[Feed], Index]
    uow: UnitOfWork

    async def project(
        self, feed: FeedName, name: NormalizedName, version: Version | None = None
    ) -> Explanation:
        """Explain a project, or one version of it."""
        place, claim = await self.uow.read(
            lambda tx: (tx.feeds.get(feed), tx.claims.covering(tx.feeds.get(feed), name))
        )
        project = await self.index(place).project(name)
        wanted = None if version is None else str(version)
        lines = [*map(_shown, project.files), *_hidden(project)]
        return Explanation(
            feed=feed,
            name=name,
            owner=str(claim) if claim else "nobody here: it may come from an upstream",
            status=str(project.status.standing),
            absent=project.absent,
            lines=tuple(ln for ln in lines if wanted is None or ln.version in (None, wanted)),
        )


_BY = {Kind.HOSTED: "hosted", Kind.SAVED: "saved", Kind.UPSTREAM: "upstream"}


def _shown(file: File) -> Line:
    where = {
        Kind.HOSTED: f"uploaded to {file.source.label}",
        Kind.SAVED: f"saved from {file.source.label}",
        Kind.UPSTREAM: f"listed by {file.source.label}, not pulled yet",
    }[file.source.kind]
    if file.yanked is not None:
        where += f"; yanked{': ' + file.yanked if file.yanked else ''}"
    return Line(
        filename=file.filename,
        version=str(file.version),
        shown=True,
        by=_BY[file.source.kind],
        why=where,
    )


def _hidden(project: Project) -> list[Line]:
    return [
        Line(filename=h.filename, version=h.version, shown=False, by=h.by, why=h.reason)
        for h in project.hidden
    ]
