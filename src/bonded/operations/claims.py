"""Say whose names are whose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from packaging.utils import NormalizedName

from bonded.model.feeds import Claim, Feed
from bonded.model.files import Kind
from bonded.model.names import FeedName, Pattern
from bonded.model.problems import Conflict, NotFound
from bonded.ports import Clock, Transaction, UnitOfWork


@dataclass(frozen=True)
class ClaimAdmin:
    """The verbs on claims. `feed` is None for the claims that hold in all feeds."""

    uow: UnitOfWork
    clock: Clock
    actor: str

    async def add(
        self, feed: FeedName | None, patterns: Sequence[Pattern], *, take_over: bool
    ) -> list[Claim]:
        """Claim names; those that are new. All of them or none.

        Raises `Conflict` for a name the feed has from an upstream, unless it is taken over.
        """

        def work(tx: Transaction) -> list[Claim]:
            place = tx.feeds.get(feed) if feed else None
            claims = [
                Claim(pattern=p, feed=feed, why=f"by {self.actor}", at=self.clock())
                for p in patterns
            ]
            taken = _from_upstream(tx, place, patterns)
            if taken and not take_over:
                raise _refusal(taken)
            for owner, name in taken:
                tx.projects.put(owner, name, Kind.HOSTED)
                tx.audit.write(self.actor, "take-over", owner, name, "was from an upstream")
            return [c for c in claims if self._add(tx, place, c)]

        return await self.uow.write(work)

    def _add(self, tx: Transaction, feed: Feed | None, claim: Claim) -> bool:
        new = tx.claims.add(feed, claim)
        if new:
            tx.audit.write(self.actor, "claim", feed, claim.pattern.text, _place(feed))
        return new

    async def remove(self, feed: FeedName | None, patterns: Sequence[Pattern]) -> None:
        """Give names up, so that they may come from an upstream again.

        Raises `Conflict` for a name of which files are hosted, `NotFound` if it was not claimed.
        """

        def work(tx: Transaction) -> None:
            place = tx.feeds.get(feed) if feed else None
            for pattern in patterns:
                _release(tx, place, pattern)
                tx.audit.write(self.actor, "unclaim", place, pattern.text, _place(place))

        await self.uow.write(work)

    async def list(self, feed: FeedName | None) -> list[Claim]:
        """The claims that hold in a feed, or all there are."""

        def work(tx: Transaction) -> list[Claim]:
            claims = tx.claims.all()
            if feed is not None:
                tx.feeds.get(feed)
            return [c for c in claims if feed is None or c.feed in (None, feed)]

        return await self.uow.read(work)


def _place(feed: Feed | None) -> str:
    return f"feed {feed.name}" if feed else "all feeds"


def _from_upstream(
    tx: Transaction, feed: Feed | None, patterns: Sequence[Pattern]
) -> list[tuple[Feed, NormalizedName]]:
    feeds = {f.id: f for f in tx.feeds.all()}
    return [
        (feeds[number], name)
        for number, name in tx.projects.upstream(feed)
        if any(p.matches(name) for p in patterns)
    ]


def _refusal(taken: list[tuple[Feed, NormalizedName]]) -> Conflict:
    names = ", ".join(sorted({name for _, name in taken})[:10])
    where = ", ".join(sorted({feed.name for feed, _ in taken}))
    return Conflict(
        f"Already listed or saved from an upstream in {where}: {names}.",
        code="name-from-upstream",
        hint="If the names are yours, add --take-over: what was saved of them is shown no more.",
    )


def _release(tx: Transaction, feed: Feed | None, pattern: Pattern) -> None:
    if feed is not None and pattern.exact:
        name = NormalizedName(pattern.text)
        rows = tx.files.of(feed, name)
        if any(r.kind is Kind.HOSTED and r.deleted is None for r in rows):
            raise Conflict(
                f"The feed {feed.name} hosts files of {name}; without the claim they would be"
                " hidden by an upstream's.",
                code="name-in-use",
                hint=f"Delete them first: bonded delete --feed {feed.name} {name}==VERSION",
            )
    if not tx.claims.remove(feed, pattern):
        raise NotFound(
            f"{pattern.text} is not claimed for {_place(feed)}.",
            code="no-such-claim",
            hint="See 'bonded claim list'.",
        )
    if feed is not None and pattern.exact and tx.projects.get(feed, name) is not None:
        tx.projects.put(feed, name, Kind.UPSTREAM)
