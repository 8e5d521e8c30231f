"""The whole index of a feed, put together from views."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bonded.model.feeds import Feed, Upstream
from bonded.model.names import FeedName
from bonded.ports import Index, UnitOfWork
from bonded.views.described import Described
from bonded.views.hosted import Hosted
from bonded.views.marked import Marked
from bonded.views.ordered import Ordered
from bonded.views.routed import Routed
from bonded.views.saved import Saved


@dataclass(frozen=True)
class Stack:
    """Builds the index of any feed. `reach` gives the index of an upstream on another server."""

    feeds: Mapping[FeedName, Feed]
    reach: Callable[[Upstream], Index]
    uow: UnitOfWork

    def index(self, feed: Feed) -> Index:
        """What a reader of the feed sees."""
        rest = Ordered(tuple(self._upstream(u) for u in feed.upstreams))
        saved = Saved(rest, feed, self.uow)
        routed = Routed(owner=self._internal(feed), rest=saved, feed=feed, uow=self.uow)
        return Described(Marked(routed, feed, self.uow), self.uow)

    def _upstream(self, upstream: Upstream) -> Index:
        name = upstream.spec.feed
        return self.reach(upstream) if name is None else self.index(self.feeds[name])

    def _internal(self, feed: Feed) -> Index:
        """What the feed and the feeds it falls back to host: no other server is ever asked."""
        names = (u.spec.feed for u in feed.upstreams)
        behind = (self._internal(self.feeds[n]) for n in names if n is not None)
        return Ordered((Hosted(feed, self.uow), *behind))
