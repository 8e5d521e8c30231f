"""The tokens, by their digests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from bonded.catalog import schema as s
from bonded.catalog.revisions import SqlRevisions
from bonded.model import keys
from bonded.model.feeds import Feed
from bonded.model.names import FeedName
from bonded.model.tokens import Scope, Token
from bonded.ports import Clock


class SqlTokens:
    """Tokens in a table."""

    def __init__(self, connection: Connection, revisions: SqlRevisions, clock: Clock) -> None:
        self._on, self._revisions, self._clock = connection, revisions, clock

    def all(self) -> list[Token]:
        """Every token ever minted, oldest first."""
        feeds: dict[int, list[FeedName]] = {}
        joined = select(s.token_feeds.c.token, s.feeds.c.name).join(
            s.feeds, s.feeds.c.id == s.token_feeds.c.feed
        )
        for row in self._on.execute(joined.order_by(s.feeds.c.name)):
            feeds.setdefault(row.token, []).append(FeedName(row.name))
        return [
            Token(
                id=row.id,
                digest=row.digest,
                label=row.label,
                scope=Scope(row.scope),
                feeds=tuple(feeds.get(row.id, ())),
                created=row.created,
                expires=row.expires,
                revoked=row.revoked,
            )
            for row in self._on.execute(select(s.tokens).order_by(s.tokens.c.id))
        ]

    def add(
        self,
        digest: bytes,
        label: str,
        scope: Scope,
        feeds: Sequence[Feed],
        expires: datetime | None,
    ) -> Token:
        """Keep a token's digest."""
        values = {
            "digest": digest,
            "label": label,
            "scope": int(scope),
            "created": self._clock(),
            "expires": expires,
        }
        key = self._on.execute(insert(s.tokens).values(values)).inserted_primary_key
        assert key is not None
        number = int(key[0])
        self._on.execute(insert(s.token_feeds), [{"token": number, "feed": f.id} for f in feeds])
        self._revisions.bump(keys.TOKENS)
        return next(t for t in self.all() if t.id == number)

    def revoke(self, token: int, at: datetime) -> None:
        """A token is worth nothing from now on."""
        self._on.execute(update(s.tokens).where(s.tokens.c.id == token).values(revoked=at))
        self._revisions.bump(keys.TOKENS)
