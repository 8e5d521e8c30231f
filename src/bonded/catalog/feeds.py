"""Feeds and what they fall back to."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select, update

from bonded.catalog import schema as s
from bonded.catalog.revisions import SqlRevisions
from bonded.model import keys
from bonded.model.feeds import Feed, Upstream, UpstreamSpec
from bonded.model.names import FeedName
from bonded.model.problems import Conflict, NotFound
from bonded.ports import Clock


class SqlFeeds:
    """Feeds in tables."""

    def __init__(self, connection: Connection, revisions: SqlRevisions, clock: Clock) -> None:
        self._on, self._revisions, self._clock = connection, revisions, clock

    def all(self) -> list[Feed]:
        rows = self._on.execute(select(s.feeds).order_by(s.feeds.c.name)).all()
        upstreams: dict[int, list[Upstream]] = {row.id: [] for row in rows}
        joined = select(s.feed_upstreams.c.feed, s.upstreams).join(
            s.upstreams, s.upstreams.c.id == s.feed_upstreams.c.upstream
        )
        for row in self._on.execute(joined.order_by(s.feed_upstreams.c.position)):
            upstreams[row.feed].append(Upstream(id=row.id, spec=UpstreamSpec(row.spec)))
        return [
            Feed(
                id=row.id,
                name=FeedName(row.name),
                public=row.public,
                upstreams=tuple(upstreams[row.id]),
                created=row.created,
            )
            for row in rows
        ]

    def get(self, name: FeedName) -> Feed:
        """The feed of that name; raises `NotFound`."""
        everyone = self.all()
        for feed in everyone:
            if feed.name == name:
                return feed
        known = ", ".join(f.name for f in everyone) or "none yet"
        raise NotFound(
            f"There is no feed named {name!r}.",
            code="no-such-feed",
            hint=f"Feeds here: {known}. Make one with 'bonded feed create {name}'.",
        )

    def create(self, name: FeedName, public: bool, specs: Sequence[UpstreamSpec]) -> Feed:
        """Make a feed; raises `Conflict` if there is one of that name."""
        if self._on.execute(select(s.feeds.c.id).where(s.feeds.c.name == name)).first():
            raise Conflict(
                f"There is a feed named {name!r} already.",
                code="feed-exists",
                hint="Change it with 'bonded feed set', or choose another name.",
            )
        values = {"name": name, "public": public, "created": self._clock()}
        key = self._on.execute(insert(s.feeds).values(values)).inserted_primary_key
        assert key is not None
        self._relink(int(key[0]), specs)
        return self.get(name)

    def change(self, feed: Feed, public: bool, specs: Sequence[UpstreamSpec]) -> Feed:
        """Give a feed other settings."""
        self._on.execute(update(s.feeds).where(s.feeds.c.id == feed.id).values(public=public))
        self._on.execute(delete(s.feed_upstreams).where(s.feed_upstreams.c.feed == feed.id))
        self._relink(feed.id, specs)
        return self.get(feed.name)

    def delete(self, feed: Feed) -> None:
        """Forget a feed and all that is its own."""
        self._on.execute(delete(s.feeds).where(s.feeds.c.id == feed.id))
        self._revisions.bump(keys.FEEDS, keys.TOKENS)

    def _relink(self, feed: int, specs: Sequence[UpstreamSpec]) -> None:
        rows = [
            {"feed": feed, "position": position, "upstream": self._upstream(spec)}
            for position, spec in enumerate(specs)
        ]
        if rows:
            self._on.execute(insert(s.feed_upstreams), rows)
        self._revisions.bump(keys.FEEDS, keys.settings(feed))

    def _upstream(self, spec: UpstreamSpec) -> int:
        same = select(s.upstreams.c.id).where(s.upstreams.c.spec == spec.text)
        found = self._on.execute(same).scalar()
        if found is not None:
            return int(found)
        key = self._on.execute(insert(s.upstreams).values(spec=spec.text)).inserted_primary_key
        assert key is not None
        return int(key[0])
