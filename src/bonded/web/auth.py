"""Credentials out of a request."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error

from bonded.model.problems import Unauthorised


def secret(header: bytes | None) -> str | None:
    """The token in an `Authorization` header; None if there is none.

    It is the password, whatever the username, or the username where the password is empty, or a
    Bearer. Raises `Unauthorised` for a header that holds none.
    """
    if header is None:
        return None
    scheme, _, value = header.partition(b" ")
    kind = scheme.lower()
    if kind == b"bearer":
        return _text(value.strip())
    if kind != b"basic":
        raise _unreadable()
    try:
        user, _, password = b64decode(value.strip(), validate=True).partition(b":")
    except Error:
        raise _unreadable() from None
    return _text(password or user)


def _text(value: bytes) -> str:
    if not value:
        raise _unreadable()
    return value.decode("utf-8", "surrogateescape")


def _unreadable() -> Unauthorised:
    return Unauthorised(
        "The Authorization header holds no token.",
        code="unreadable-credentials",
        hint="Send the token as the password of Basic authentication, with any username.",
    )
