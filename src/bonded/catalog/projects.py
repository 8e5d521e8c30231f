"""What a feed knows of its projects."""

from __future__ import annotations

from packaging.utils import NormalizedName
from sqlalchemy import Connection, select, text, update

from bonded.catalog import schema as s
from bonded.catalog.revisions import SqlRevisions
from bonded.model import keys
from bonded.model.feeds import Feed
from bonded.model.files import Kind, Status
from bonded.model.files import Standing as Marker
from bonded.ports import Standing

_PUT = text(
    "INSERT INTO projects (feed, name, kind, files) VALUES (:feed, :name, :kind, 0)"
    " ON CONFLICT (feed, name) DO UPDATE SET kind = excluded.kind"
)


class SqlProjects:
    """Projects in a table, one row a feed and name."""

    def __init__(self, connection: Connection, revisions: SqlRevisions) -> None:
        self._on, self._revisions = connection, revisions

    def get(self, feed: Feed, name: NormalizedName) -> Standing | None:
        c = s.projects.c
        query = select(c.kind, c.status, c.status_reason).where(c.feed == feed.id, c.name == name)
        row = self._on.execute(query).first()
        if row is None:
            return None
        mark = row.status and Status(standing=Marker(row.status), reason=row.status_reason)
        return Standing(kind=Kind(row.kind), status=mark or None)

    def put(self, feed: Feed, name: NormalizedName, kind: Kind) -> None:
        """Remember a project, or that it is now of another kind."""
        self._on.execute(_PUT, {"feed": feed.id, "name": name, "kind": str(kind)})

    def mark(self, feed: Feed, name: NormalizedName, status: Status | None) -> None:
        """Set the status given to a project here; None takes it back."""
        self._on.execute(
            update(s.projects)
            .where(s.projects.c.feed == feed.id, s.projects.c.name == name)
            .values(
                status=str(status.standing) if status else None,
                status_reason=status.reason if status else None,
            )
        )
        self._revisions.bump(keys.project(feed.id, name))

    def names(self, feed: Feed, after: str, limit: int) -> list[NormalizedName]:
        """The names with files, in order, after one of them; at most `limit`."""
        c = s.projects.c
        query = select(c.name).where(c.feed == feed.id, c.name > after, c.files > 0)
        rows = self._on.execute(query.order_by(c.name).limit(limit))
        return [NormalizedName(name) for name in rows.scalars()]

    def upstream(self, feed: Feed | None) -> list[tuple[int, NormalizedName]]:
        """The names listed or saved from an upstream, with the number of the feed."""
        c = s.projects.c
        query = select(c.feed, c.name).where(c.kind == str(Kind.UPSTREAM))
        if feed is not None:
            query = query.where(c.feed == feed.id)
        return [(row.feed, NormalizedName(row.name)) for row in self._on.execute(query)]
