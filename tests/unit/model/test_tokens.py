"""Tokens are recognisable, typos are told, and lengths of time are read."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bonded.model.problems import BadInput
from bonded.model.tokens import PREFIX, Scope, digest, mint, span, well_formed


def test_minted_tokens_are_well_formed_and_differ() -> None:
    minted = {mint() for _ in range(50)}
    assert len(minted) == 50
    assert all(well_formed(t) and t.startswith("bnd_") for t in minted)
    assert len({len(t) for t in minted}) == 1


def test_every_single_typo_is_seen() -> None:
    token = mint()
    for at in range(len(token)):
        other = "x" if token[at] != "x" else "y"
        assert not well_formed(token[:at] + other + token[at + 1 :]), at


@pytest.mark.parametrize("text", ["", PREFIX, "bnd_short", "x" * 42, PREFIX + "é" * 38])
def test_what_is_no_token(text: str) -> None:
    assert not well_formed(text)


def test_a_cut_or_doubled_token_is_no_token() -> None:
    token = mint()
    for wrong in (token[:-1], token + "0", token.upper(), f" {token}", token + "\n"):
        assert not well_formed(wrong)


def test_digest_takes_whatever_a_header_holds() -> None:
    assert len(digest(b"\xff\x80".decode("utf-8", "surrogateescape"))) == 32
    assert digest("a") != digest("b")


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("30d", timedelta(days=30)),
        ("12h", timedelta(hours=12)),
        ("90m", timedelta(minutes=90)),
        ("45s", timedelta(seconds=45)),
        ("52w", timedelta(weeks=52)),
        ("1y", timedelta(days=365)),
        (" 2 d ", timedelta(days=2)),
        ("never", None),
    ],
)
def test_spans(text: str, length: timedelta | None) -> None:
    assert span(text) == length


@pytest.mark.parametrize(
    "text", ["", "d", "30", "0d", "-1d", "1.5d", "30 days", "1000000d", "٣d", "Never"]
)
def test_no_spans(text: str) -> None:
    with pytest.raises(BadInput, match="not a length of time"):
        span(text)


def test_scopes_are_ordered() -> None:
    assert [Scope.parse(t) for t in ("read", "WRITE", "manage")] == sorted(Scope)
    assert Scope.READ < Scope.WRITE < Scope.MANAGE
    assert str(Scope.MANAGE) == "manage"
    with pytest.raises(BadInput):
        Scope.parse("admin")
