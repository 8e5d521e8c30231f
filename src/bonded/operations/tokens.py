"""Mint and revoke tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from bonded.model.names import FeedName
from bonded.model.problems import Conflict, NotFound
from bonded.model.tokens import Scope, Token, digest, mint
from bonded.ports import Clock, Transaction, UnitOfWork


@dataclass(frozen=True)
class TokenAdmin:
    """The verbs on tokens. A token's text leaves `create` once and is kept nowhere."""

    uow: UnitOfWork
    clock: Clock
    actor: str

    async def create(
        self, feeds: Sequence[FeedName], scope: Scope, lifetime: timedelta | None, label: str
    ) -> tuple[str, Token]:
        """Mint a token for some feeds; its text, and what is kept of it."""
        text = mint()
        expires = None if lifetime is None else self.clock() + lifetime

        def work(tx: Transaction) -> Token:
            places = [tx.feeds.get(name) for name in dict.fromkeys(feeds)]
            token = tx.tokens.add(digest(text), label, scope, places, expires)
            detail = f"{scope} on {', '.join(feeds)}, {_until(token)}"
            for feed in places:
                tx.audit.write(self.actor, "create-token", feed, _name(token), detail)
            return token

        return text, await self.uow.write(work)

    async def revoke(self, which: str) -> Token:
        """Make a token worthless, by its number, its label or its text."""

        def work(tx: Transaction) -> Token:
            token = _find(tx.tokens.all(), which)
            if token.revoked is None:
                tx.tokens.revoke(token.id, self.clock())
                tx.audit.write(self.actor, "revoke-token", None, _name(token))
            return token

        return await self.uow.write(work)

    async def all(self) -> list[Token]:
        """Every token, oldest first."""
        return await self.uow.read(lambda tx: tx.tokens.all())


def _name(token: Token) -> str:
    return f"{token.id} ({token.label})"


def _until(token: Token) -> str:
    return f"until {token.expires:%Y-%m-%d}" if token.expires else "for ever"


def _find(tokens: Sequence[Token], which: str) -> Token:
    secret = digest(which)
    exact = [t for t in tokens if str(t.id) == which or t.digest == secret]
    found = exact or [t for t in tokens if t.label == which and t.revoked is None]
    if len(found) > 1:
        raise Conflict(
            f"{len(found)} tokens are labelled {which!r}.",
            code="ambiguous-token",
            hint="Revoke by number: " + ", ".join(str(t.id) for t in found),
        )
    if not found:
        raise NotFound(
            "There is no such token.", code="no-such-token", hint="See 'bonded token list'."
        )
    return found[0]
