"""Credentials for an upstream: references resolved when they are used, and never printed."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bonded.model.feeds import is_reference, redacted
from bonded.model.problems import Unavailable


@dataclass(frozen=True, slots=True)
class Login:
    """A user and a password, for Basic authentication."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Address:
    """An index's URL without credentials, and how to get those that belong to it."""

    url: str
    userinfo: str | None = None

    @classmethod
    def of(cls, url: str) -> Address:
        """Take a URL and its user part apart."""
        userinfo = urlsplit(url).netloc.rpartition("@")[0] or None
        return cls(redacted(url), userinfo)

    def __repr__(self) -> str:
        return f"Address({self.url!r})"

    def auth(self) -> Login | None:
        """The credentials; a machine's netrc is left to the HTTP client."""
        if self.userinfo is None:
            return None
        if is_reference(self.userinfo):
            return _referred(self.userinfo)
        user, _, password = self.userinfo.partition(":")
        return Login(unquote(user), unquote(password))


def _referred(reference: str) -> Login:
    *user, kind, name = reference.split(":")
    secret = _read(kind, unquote(name))
    if user:
        return Login(unquote(user[0]), secret)
    # A bare token is a password; one with a user is written USER:PASSWORD.
    given, glue, password = secret.partition(":")
    return Login(given, password) if glue else Login("__token__", secret)


def _read(kind: str, name: str) -> str:
    try:
        text = os.environ[name] if kind == "env" else Path(name).expanduser().read_text("utf-8")
    except (KeyError, OSError, UnicodeDecodeError):
        raise Unavailable(
            f"The credentials of an upstream cannot be read: {kind}:{name} is not there.",
            code="credentials-missing",
            hint="Set the variable, or make the file readable, for the process that serves.",
        ) from None
    return text.strip()
