"""Feeds, their upstreams and the claims on names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlsplit, urlunsplit

from packaging.utils import NormalizedName

from bonded.model.names import FeedName, Pattern, feed_name
from bonded.model.problems import BadInput

DEFAULT = "default"
#: A reference to a file by its path as one writes it: in a URL its slashes must be escaped.
_FILE_PATH = re.compile(r"(https?://(?:[^/@:]*:)?file:)([^@]*/[^@]*)@")


@dataclass(frozen=True, slots=True)
class UpstreamSpec:
    """What a feed falls back to, as it is written down: `default`, a URL, or `feed:NAME`.

    A URL's user part may hold a reference to credentials (`https://env:TOKEN@host/simple/`),
    never the credentials.
    """

    text: str

    @classmethod
    def parse(cls, text: str) -> UpstreamSpec:
        """Check the text of an upstream; raises `BadInput` when it cannot be one."""
        if text == DEFAULT:
            return cls(DEFAULT)
        if text.startswith("feed:"):
            return cls(f"feed:{feed_name(text[5:])}")
        return cls(_checked_url(_FILE_PATH.sub(_escaped, text, count=1)))

    @property
    def feed(self) -> FeedName | None:
        """The feed it names, if it names one."""
        return FeedName(self.text[5:]) if self.text.startswith("feed:") else None

    def __str__(self) -> str:
        return self.text


def _escaped(found: re.Match[str]) -> str:
    return f"{found[1]}{quote(found[2], safe='~')}@"


def _checked_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if host is None or parts.scheme not in ("http", "https"):
        raise BadInput(
            "An upstream is 'default', the URL of a Simple index, or feed:NAME.",
            code="bad-upstream",
            hint="For example --upstream https://index.example/simple/",
        )
    if parts.username is not None and not is_reference(parts.netloc.rpartition("@")[0]):
        raise BadInput(
            f"The URL of the upstream at {host} has credentials in it; Bonded keeps references"
            " only.",
            code="credentials-in-url",
            hint="Write https://env:NAME@host/… or https://user:env:NAME@host/… (or file:PATH) and"
            " put the secret there, or keep it in your netrc.",
        )
    path = parts.path if parts.path.endswith("/") else parts.path + "/"
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))


def is_reference(userinfo: str) -> bool:
    """Whether the user part of a URL is `[USER:]env:NAME` or `[USER:]file:PATH`."""
    pieces = userinfo.split(":")
    return len(pieces) in (2, 3) and pieces[-2] in ("env", "file") and bool(pieces[-1])


def redacted(url: str) -> str:
    """A URL without its user part, fit to be printed."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """An upstream in the catalog: its number, shared by the feeds that fall back to it."""

    id: int
    spec: UpstreamSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A named index that hosts packages and may fall back to others, in order."""

    id: int
    name: FeedName
    public: bool = False
    upstreams: tuple[Upstream, ...] = ()
    created: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A feed's ownership of names: they never come from an upstream, nor are asked of one."""

    pattern: Pattern
    feed: FeedName | None  #: None: every feed
    why: str
    at: datetime

    def covers(self, name: NormalizedName) -> bool:
        """Whether it makes `name` owned."""
        return self.pattern.matches(name)

    def __str__(self) -> str:
        place = f"feed {self.feed}" if self.feed else "all feeds"
        return f"claim {self.pattern.text} of {place} ({self.why})"
