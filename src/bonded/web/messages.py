"""Requests and responses, as thin as ASGI allows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from bonded.model.feeds import Feed
from bonded.model.tokens import Token

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Request:
    """A request: its headers by lowercase name, and who sent it once that is known.

    `begun` and `ended` say how far its body was read.
    """

    method: str
    path: str
    query: bytes
    headers: dict[bytes, bytes]
    client: str
    receive: Receive
    token: Token | None = None
    feed: Feed | None = None
    begun: bool = False
    ended: bool = False

    def header(self, name: bytes) -> str | None:
        """A header's text, None if it was not sent."""
        value = self.headers.get(name)
        return value.decode("latin-1") if value is not None else None

    def parameter(self, name: str) -> str | None:
        """The last value of a query parameter."""
        if not self.query:
            return None
        return dict(parse_qsl(self.query.decode("latin-1"), keep_blank_values=True)).get(name)

    @property
    def actor(self) -> str:
        """Who is to be named in the audit and the log."""
        return f"token {self.token.id} ({self.token.label})" if self.token else "anonymous"


@dataclass(slots=True)
class Response:
    """A response; its body is bytes, a file to be sent, or pieces as they come.

    `size` is the length of the body in bytes, None where it is not known beforehand.
    """

    status: int
    headers: Headers
    body: bytes = b""
    path: Path | None = None
    pieces: AsyncIterator[bytes] | None = None
    size: int | None = None


def content_length(size: int) -> tuple[bytes, bytes]:
    """The header that gives a body's size in bytes."""
    return (b"content-length", b"%d" % size)


def redirect(location: str) -> Response:
    """301 to a place given relative to the request, so that it holds under any prefix."""
    return Response(
        301,
        [
            (b"location", location.encode("latin-1")),
            (b"cache-control", b"no-store"),
            content_length(0),
        ],
    )


def text(status: int, body: str, kind: str = "text/plain; charset=utf-8") -> Response:
    """A short text."""
    encoded = body.encode()
    headers = [
        (b"content-type", kind.encode("latin-1")),
        (b"cache-control", b"no-store"),
        content_length(len(encoded)),
    ]
    return Response(status, headers, encoded)
