"""All that feeds hold, taken together."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, func, select

from bonded.catalog import schema as s
from bonded.catalog.files import row_of
from bonded.model.feeds import Feed
from bonded.model.names import FeedName
from bonded.ports import Row

_c = s.files.c
_BATCH = 1000


class SqlHoldings:
    """Questions over the files of all feeds."""

    def __init__(self, connection: Connection) -> None:
        self._on = connection

    def refers(self, blob: str) -> bool:
        """Whether a listed file of any feed has these bytes."""
        query = select(_c.id).where(_c.blob == blob, _c.deleted.is_(None)).limit(1)
        return self._on.execute(query).first() is not None

    def all(self) -> Iterator[tuple[FeedName, Row]]:
        """Every listed file of every feed."""
        query = (
            select(s.files, s.feeds.c.name.label("feed_name"))
            .join(s.feeds, s.feeds.c.id == _c.feed)
            .where(_c.deleted.is_(None))
            .order_by(_c.id)
        )
        for row in self._on.execution_options(yield_per=_BATCH).execute(query):
            yield FeedName(row.feed_name), row_of(row)

    def total(self, feed: Feed) -> tuple[int, int]:
        """How many files a feed lists, and their bytes."""
        query = select(func.count(), func.coalesce(func.sum(_c.size), 0))
        row = self._on.execute(query.where(_c.feed == feed.id, _c.deleted.is_(None))).one()
        return int(row[0]), int(row[1])
