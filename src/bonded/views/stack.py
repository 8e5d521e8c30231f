"""The whole index of a feed, put together from views."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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
        indexes = {u: self._upstream(u) for u in feed.upstreams}
        saved = Saved(Ordered(tuple(indexes.values())), feed, self.uow)
        behind = tuple(
            (owner, index)
            for upstream, index in indexes.items()
            for owner in self._behind(upstream)
        )
        routed = Routed(self._internal(feed), saved, feed, self.uow, behind)
        return Described(Marked(routed, feed, self.uow), self.uow)

    def _upstream(self, upstream: Upstream) -> Index:
        name = upstream.spec.feed
        return self.reach(upstream) if name is None else self.index(self.feeds[name])

    def _behind(self, upstream: Upstream) -> Iterator[Feed]:
        """The feed that an upstream is, if it is one, and those that feed falls back to."""
        if upstream.spec.feed is not None:
            feed = self.feeds[upstream.spec.feed]
            yield feed
            for further in feed.upstreams:
                yield from self._behind(further)

    def _internal(self, feed: Feed) -> Index:
        """What the feed and the feeds it falls back to host: no other server is ever asked."""
        names = (u.spec.feed for u in feed.upstreams)
        feeds = (self.feeds[n] for n in names if n is not None)
        behind = (Marked(self._internal(f), f, self.uow) for f in feeds)
        return Ordered((Hosted(feed, self.uow), *behind))
