"""Make, change and delete feeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bonded.model.feeds import Feed, UpstreamSpec
from bonded.model.names import FeedName
from bonded.model.problems import BadInput, Conflict, NotFound
from bonded.ports import Transaction, UnitOfWork


@dataclass(frozen=True)
class FeedAdmin:
    """The verbs on feeds, each one transaction and one line of the audit."""

    uow: UnitOfWork
    actor: str

    async def create(self, name: FeedName, public: bool, specs: Sequence[UpstreamSpec]) -> Feed:
        """Make a feed."""

        def work(tx: Transaction) -> Feed:
            _check_chain(tx, name, specs)
            feed = tx.feeds.create(name, public, specs)
            tx.audit.write(self.actor, "create-feed", feed, name, _settings(feed))
            return feed

        return await self.uow.write(work)

    async def change(
        self, name: FeedName, public: bool | None, specs: Sequence[UpstreamSpec] | None
    ) -> Feed:
        """Give a feed other settings; None leaves one as it is."""

        def work(tx: Transaction) -> Feed:
            feed = tx.feeds.get(name)
            wanted = [u.spec for u in feed.upstreams] if specs is None else specs
            _check_chain(tx, name, wanted)
            feed = tx.feeds.change(feed, feed.public if public is None else public, wanted)
            tx.audit.write(self.actor, "set-feed", feed, name, _settings(feed))
            return feed

        return await self.uow.write(work)

    async def delete(self, name: FeedName, *, force: bool) -> None:
        """Delete a feed and what it holds; one that holds files only with `force`."""

        def work(tx: Transaction) -> None:
            feed = tx.feeds.get(name)
            users = [f.name for f in tx.feeds.all() if name in _names(f)]
            if users:
                raise Conflict(
                    f"The feed {name} is an upstream of {', '.join(users)}.",
                    code="feed-in-use",
                    hint="Give them other upstreams first: bonded feed set NAME --upstream …",
                )
            if not force and tx.projects.names(feed, "", 1):
                raise Conflict(
                    f"The feed {name} holds files.",
                    code="feed-not-empty",
                    hint="Add --force to delete it with all its files, claims and tokens' rights.",
                )
            tx.audit.write(self.actor, "delete-feed", feed, name, _settings(feed))
            tx.feeds.delete(feed)

        await self.uow.write(work)

    async def all(self) -> list[Feed]:
        """Every feed, by name."""
        return await self.uow.read(lambda tx: tx.feeds.all())


def as_it_is(tx: Transaction, feed: Feed) -> Feed:
    """The feed as it is now; one made since under the name of a deleted one is another.

    Raises `NotFound`.
    """
    current = tx.feeds.get(feed.name)
    if current.id != feed.id:
        raise NotFound(f"The feed {feed.name} was deleted meanwhile.", code="no-such-feed")
    return current


def _names(feed: Feed) -> set[str | None]:
    return {u.spec.feed for u in feed.upstreams}


def _settings(feed: Feed) -> str:
    chain = " ".join(u.spec.text for u in feed.upstreams) or "none"
    return f"upstreams: {chain}; {'public' if feed.public else 'private'}"


def _check_chain(tx: Transaction, name: FeedName, specs: Sequence[UpstreamSpec]) -> None:
    if len({s.text for s in specs}) != len(specs):
        raise BadInput("An upstream is named twice.", code="upstream-twice")
    chains: Mapping[str, set[str | None]] = {f.name: _names(f) for f in tx.feeds.all()}
    for spec in specs:
        if spec.feed is not None and spec.feed != name:
            tx.feeds.get(spec.feed)
        if spec.feed is not None and _reaches(chains, spec.feed, name):
            raise BadInput(
                f"The feed {name} would fall back to itself through {spec}.",
                code="upstream-loop",
                hint="Choose another upstream.",
            )


def _reaches(chains: Mapping[str, set[str | None]], start: str, goal: str) -> bool:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        at = waiting.pop()
        if at == goal:
            return True
        if at not in seen:
            seen.add(at)
            waiting += [n for n in chains.get(at, set()) if n is not None]
    return False
