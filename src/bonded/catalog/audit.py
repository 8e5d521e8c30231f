"""Who did what."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select

from bonded.catalog import schema as s
from bonded.model.feeds import Feed
from bonded.model.names import FeedName
from bonded.ports import Clock, Event

_c = s.audit.c


class SqlAudit:
    """The audit in a table that is only ever added to."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._on, self._clock = connection, clock

    def write(
        self, actor: str, action: str, feed: Feed | None, subject: str, detail: str = ""
    ) -> None:
        """Add a line, in the transaction of what it tells of."""
        values = {
            "at": self._clock(),
            "actor": actor,
            "action": action,
            "feed": feed.name if feed else None,
            "subject": subject,
            "detail": detail,
        }
        self._on.execute(insert(s.audit), values)

    def once(
        self, actor: str, action: str, feed: Feed | None, subject: str, detail: str = ""
    ) -> None:
        """Add a line unless it was said before."""
        same = (_c.action == action, _c.subject == subject, _c.detail == detail)
        place = _c.feed == feed.name if feed else _c.feed.is_(None)
        if self._on.execute(select(_c.id).where(place, *same).limit(1)).first() is None:
            self.write(actor, action, feed, subject, detail)

    def read(self, since: datetime | None, feed: FeedName | None, limit: int) -> list[Event]:
        """The newest `limit` lines, oldest of them first."""
        query = select(s.audit).order_by(_c.id.desc()).limit(limit)
        if since is not None:
            query = query.where(_c.at >= since)
        if feed is not None:
            query = query.where(_c.feed == feed)
        rows = self._on.execute(query).all()
        return [
            Event(
                at=row.at,
                actor=row.actor,
                action=row.action,
                feed=FeedName(row.feed) if row.feed else None,
                subject=row.subject,
                detail=row.detail,
            )
            for row in reversed(rows)
        ]
