"""Who owns which names."""

from __future__ import annotations

from packaging.utils import NormalizedName
from sqlalchemy import ColumnElement, Connection, delete, insert, or_, select

from bonded.catalog import schema as s
from bonded.catalog.revisions import SqlRevisions
from bonded.model import keys
from bonded.model.feeds import Claim, Feed
from bonded.model.names import FeedName, Pattern

_c = s.claims.c


class SqlClaims:
    """Claims in a table."""

    def __init__(self, connection: Connection, revisions: SqlRevisions) -> None:
        self._on, self._revisions = connection, revisions

    def covering(self, feed: Feed, name: NormalizedName) -> Claim | None:
        """The claim by which a name is owned in a feed, its own before those for all feeds."""
        here = or_(_c.feed == feed.id, _c.feed.is_(None))
        found = self._select(here & (_c.pattern == name)) or [
            claim for claim in self._select(here & _c.exact.is_(False)) if claim.covers(name)
        ]
        return next(iter(sorted(found, key=lambda claim: claim.feed is None)), None)

    def all(self) -> list[Claim]:
        """Every claim."""
        return self._select(None)

    def add(self, feed: Feed | None, claim: Claim) -> bool:
        """Claim names for a feed, or for all; whether that was new."""
        if self._id(feed, claim.pattern) is not None:
            return False
        self._on.execute(
            insert(s.claims),
            {
                "feed": feed.id if feed else None,
                "pattern": claim.pattern.text,
                "exact": claim.pattern.exact,
                "why": claim.why,
                "at": claim.at,
            },
        )
        self._bump(feed, claim.pattern)
        return True

    def remove(self, feed: Feed | None, pattern: Pattern) -> bool:
        """Give names up; whether there was such a claim."""
        found = self._id(feed, pattern)
        if found is None:
            return False
        self._on.execute(delete(s.claims).where(_c.id == found))
        self._bump(feed, pattern)
        return True

    def _bump(self, feed: Feed | None, pattern: Pattern) -> None:
        if feed is None:
            self._revisions.bump(keys.CLAIMS)
        elif pattern.exact:
            self._revisions.bump(keys.project(feed.id, NormalizedName(pattern.text)))
        else:
            self._revisions.bump(keys.patterns(feed.id))

    def _id(self, feed: Feed | None, pattern: Pattern) -> int | None:
        place = _c.feed == feed.id if feed else _c.feed.is_(None)
        query = select(_c.id).where(place, _c.pattern == pattern.text)
        return self._on.execute(query).scalar()

    def _select(self, where: ColumnElement[bool] | None) -> list[Claim]:
        query = select(_c.pattern, _c.why, _c.at, s.feeds.c.name)
        query = query.outerjoin(s.feeds, s.feeds.c.id == _c.feed).order_by(_c.id)
        if where is not None:
            query = query.where(where)
        return [
            Claim(
                pattern=Pattern(row.pattern),
                feed=FeedName(row.name) if row.name else None,
                why=row.why,
                at=row.at,
            )
            for row in self._on.execute(query)
        ]
