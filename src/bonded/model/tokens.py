"""Tokens: minted, recognised, and what they allow."""

from __future__ import annotations

import hashlib
import re
import secrets
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from bonded.model.names import FeedName
from bonded.model.problems import BadInput

PREFIX = "bnd_"
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM, _CHECK = 32, 6
_SPAN = re.compile(r"(\d{1,5})\s*([smhdwy])", re.ASCII)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400, "y": 365 * 86400}


class Scope(IntEnum):
    """What a token may do; each allows what the ones before it do."""

    READ = 1
    WRITE = 2
    MANAGE = 3

    @classmethod
    def parse(cls, text: str) -> Scope:
        """From `read`, `write` or `manage`."""
        try:
            return cls[text.upper()]
        except KeyError:
            raise BadInput(
                f"{text!r} is not a scope.", code="bad-scope", hint="Use read, write or manage."
            ) from None

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token as it is kept: its digest, never itself."""

    id: int
    digest: bytes  #: sha256 of the token's text
    label: str
    scope: Scope
    feeds: tuple[FeedName, ...]
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None


def mint() -> str:
    """A new token: prefix, 190 random bits, and a checksum by which typos are told from lies."""
    body = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
    return PREFIX + body + _checksum(body)


def well_formed(text: str) -> bool:
    """Whether it has a token's shape and its checksum is right."""
    body = text[len(PREFIX) : -_CHECK]
    return (
        text.startswith(PREFIX)
        and len(body) == _RANDOM
        and all(c in _ALPHABET for c in body)
        and text[-_CHECK:] == _checksum(body)
    )


def digest(text: str) -> bytes:
    """What is kept of a token. It is random, so one round of sha256 is enough."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()


def _checksum(body: str) -> str:
    number, out = zlib.crc32(body.encode()), ""
    for _ in range(_CHECK):
        number, digit = divmod(number, len(_ALPHABET))
        out = _ALPHABET[digit] + out
    return out


def span(text: str) -> timedelta | None:
    """A length of time such as `30d`, `12h` or `90m`; `never` is None."""
    if text == "never":
        return None
    found = _SPAN.fullmatch(text.strip())
    if found is None or int(found[1]) == 0:
        raise BadInput(
            f"{text!r} is not a length of time.",
            code="bad-span",
            hint="Write 30d, 12h, 90m, 52w or never.",
        )
    return timedelta(seconds=int(found[1]) * _UNITS[found[2]])
