"""The files that feeds hold."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from packaging.utils import NormalizedName
from sqlalchemy import Connection, bindparam, delete, insert, select, text, update

from bonded.catalog import schema as s
from bonded.catalog.revisions import SqlRevisions
from bonded.model import keys
from bonded.model.feeds import Feed
from bonded.model.files import File, Kind, Source
from bonded.model.names import identity, version
from bonded.ports import Clock, Row

_c = s.files.c
_OF = select(s.files).where(_c.feed == bindparam("f"), _c.project == bindparam("p"))
_FIND = select(s.files).where(_c.feed == bindparam("f"), _c.filename == bindparam("n"))
_SAME = select(s.files).where(_c.feed == bindparam("f"), _c.identity == bindparam("i"))
_COUNT = text("UPDATE projects SET files = files + :by WHERE feed = :feed AND name = :name")
_COUNTED = text("SELECT files FROM projects WHERE feed = :feed AND name = :name")


class SqlFiles:
    """Files in a table, one row a feed and filename; a deleted one keeps its row, and its name."""

    def __init__(self, connection: Connection, revisions: SqlRevisions, clock: Clock) -> None:
        self._on, self._revisions, self._clock = connection, revisions, clock

    def of(self, feed: Feed, name: NormalizedName) -> list[Row]:
        """What a feed holds of a project, deleted files among them."""
        return [row_of(r) for r in self._on.execute(_OF, {"f": feed.id, "p": name})]

    def find(self, feed: Feed, filename: str) -> Row | None:
        found = self._on.execute(_FIND, {"f": feed.id, "n": filename}).first()
        return row_of(found) if found is not None else None

    def same(self, feed: Feed, filename: str) -> Row | None:
        """A file that a filename names too, spelt otherwise."""
        found = self._on.execute(_SAME, {"f": feed.id, "i": identity(filename)}).first()
        return row_of(found) if found is not None else None

    def add(self, feed: Feed, row: Row) -> None:
        """Hold a file whose bytes are durable."""
        file = row.file
        self._on.execute(
            insert(s.files),
            {
                "feed": feed.id,
                "project": file.project,
                "filename": file.filename,
                "identity": identity(file.filename),
                "version": str(file.version),
                "kind": str(row.kind),
                "label": file.source.label,
                "blob": row.blob,
                "size": file.size,
                "uploaded": file.uploaded,
                "added": self._clock(),
                "requires_python": file.requires_python,
                "yanked": file.yanked,
                "metadata": file.metadata,
            },
        )
        self._count(feed, file.project, 1)

    def yank(self, feed: Feed, files: Iterable[File], reason: str | None) -> None:
        """Yank (PEP 592) with a reason, which may be empty; None takes it back."""
        for file in files:
            where = (_c.feed == feed.id, _c.filename == file.filename)
            self._on.execute(update(s.files).where(*where).values(yanked=reason))
            self._revisions.bump(keys.project(feed.id, file.project))

    def adopt(self, feed: Feed, filename: str) -> None:
        """Make a saved file, whose name was taken over and whose bytes were uploaded, hosted."""
        where = (_c.feed == feed.id, _c.filename == filename)
        project = self._on.execute(select(_c.project).where(*where)).scalar_one()
        values = {"kind": str(Kind.HOSTED), "label": f"feed {feed.name}", "uploaded": self._clock()}
        self._on.execute(update(s.files).where(*where).values(values))
        self._revisions.bump(keys.project(feed.id, NormalizedName(project)))

    def remove(self, feed: Feed, file: File, at: datetime | None) -> None:
        """Hold a file no longer: with a time its name stays taken, without it is forgotten."""
        where = (_c.feed == feed.id, _c.filename == file.filename)
        if at is None:
            self._on.execute(delete(s.files).where(*where))
        else:
            self._on.execute(update(s.files).where(*where).values(deleted=at, metadata=None))
        self._count(feed, file.project, -1)

    def _count(self, feed: Feed, name: NormalizedName, by: int) -> None:
        where = {"feed": feed.id, "name": name}
        self._on.execute(_COUNT, {"by": by} | where)
        self._revisions.bump(keys.project(feed.id, name))
        if self._on.execute(_COUNTED, where).scalar() == max(by, 0):
            self._revisions.bump(keys.names(feed.id))


def row_of(r: Any) -> Row:
    """A row of the port out of a row of the table."""
    kind = Kind(r.kind)
    return Row(
        file=File(
            project=NormalizedName(r.project),
            version=version(r.version),
            filename=r.filename,
            sha256=r.blob,
            size=r.size,
            uploaded=r.uploaded,
            requires_python=r.requires_python,
            yanked=r.yanked,
            metadata=r.metadata,
            source=Source(kind=kind, label=r.label),
        ),
        blob=r.blob,
        kind=kind,
        deleted=r.deleted,
        added=r.added,
    )
