"""Who may do what, as last read: the feeds and the tokens, at hand in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from bonded.model import keys
from bonded.model.feeds import Feed
from bonded.model.files import Basis
from bonded.model.names import FeedName
from bonded.model.problems import Forbidden, NotFound, Unauthorised
from bonded.model.tokens import Scope, Token, digest
from bonded.ports import Clock, Freshness, Transaction, UnitOfWork


@dataclass
class Directory:
    """Feeds by name and tokens by digest, read again when they have changed anywhere."""

    uow: UnitOfWork
    freshness: Freshness
    clock: Clock
    feeds: Mapping[FeedName, Feed] = field(default_factory=dict)
    generation: int = 0  #: moves with every commit seen
    settings: Mapping[str, int] = field(default_factory=dict)  #: revisions `feeds` were read at
    _tokens: Mapping[bytes, Token] = field(default_factory=dict, repr=False)
    _basis: Basis = field(default_factory=Basis)
    _doubtful: bool = True
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    async def refresh(self) -> None:
        """Make sure that what was committed before this call is what is known after it."""
        if self.freshness.moved():
            self._doubtful = True
            self.generation += 1
        # Doubt stays until it is settled: a request that comes in while another reads must not
        # take the old tokens for good.
        if self._doubtful and not self._settled():
            async with self._reading:
                while not self._settled():
                    await self._read()

    def _settled(self) -> bool:
        settled = bool(self._basis.revisions) and self.freshness.holds(self._basis)
        self._doubtful = not settled
        return settled

    async def _read(self) -> None:
        def read(tx: Transaction) -> tuple[Basis, list[Feed], Basis, list[Token]]:
            feeds = tx.feeds.all()
            settings = tx.revisions.of(keys.settings(f.id) for f in feeds)
            basis = tx.revisions.of([keys.FEEDS, keys.TOKENS])
            return basis, feeds, settings, tx.tokens.all()

        self._basis, feeds, settings, tokens = await self.uow.read(read)
        self.settings = dict(settings.revisions)
        self.feeds = {feed.name: feed for feed in feeds}
        self._tokens = {token.digest: token for token in tokens}

    def authenticate(self, secret: str | None) -> Token | None:
        """The token of a caller; None for one who gives none. Raises `Unauthorised`."""
        if secret is None:
            return None
        token = self._tokens.get(digest(secret))
        if token is None:
            raise Unauthorised("This token is not known here.", code="unknown-token")
        if token.revoked is not None:
            raise Unauthorised("This token was revoked.", code="revoked-token")
        if token.expires is not None and token.expires <= self.clock():
            raise Unauthorised(
                f"This token expired on {token.expires:%Y-%m-%d %H:%M} UTC.",
                code="expired-token",
                hint="Ask whoever manages the feed for a new one.",
            )
        return token

    def admit(self, token: Token | None, name: str, scope: Scope) -> Feed:
        """The feed, if the caller may use it so; the order of refusals tells nothing to strangers.

        Raises `Unauthorised` (401), `NotFound` (404) or `Forbidden` (403).
        """
        feed = self.feeds.get(FeedName(name))
        if token is None:
            if feed is not None and feed.public and scope is Scope.READ:
                return feed
            raise Unauthorised("This needs a token.", code="token-needed")
        if feed is None:
            raise NotFound(f"There is no feed named {name!r}.", code="no-such-feed")
        if feed.public and scope is Scope.READ:
            return feed
        return _allowed(token, feed, scope)


def _allowed(token: Token, feed: Feed, scope: Scope) -> Feed:
    if feed.name not in token.feeds:
        raise Forbidden(
            f"The token {token.label!r} is not for the feed {feed.name}.",
            code="foreign-feed",
            hint=f"It is for: {', '.join(token.feeds) or 'no feed'}.",
        )
    if token.scope < scope:
        raise Forbidden(
            f"The token {token.label!r} may {token.scope} the feed {feed.name}, and this needs"
            f" {scope}.",
            code="scope-too-narrow",
            hint=f"Mint one with 'bonded token create --feed {feed.name} --scope {scope}'.",
        )
    return feed
