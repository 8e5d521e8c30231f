"""A Simple index on another server, over one HTTP session."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from urllib.parse import urljoin, urlsplit

import aiohttp
from packaging.utils import NormalizedName
from yarl import URL

from bonded import __version__
from bonded.model.files import Project
from bonded.model.problems import NotFound, Problem, Unavailable
from bonded.ports import Answer, Artifact, Ranged, Validators
from bonded.simple import parse
from bonded.sources.credentials import Address, Login

ACCEPT = (
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2,"
    " text/html;q=0.1"
)
MAX_PAGE = 128 << 20
REDIRECTS = 6
PAGES_AT_ONCE, FILES_AT_ONCE = 64, 256
#: Seconds. pip waits for them, five times over and without a word.
RETRY_AFTER = 2
# pip gives up on us after 15 seconds: an upstream that is silent must be told of before.
PAGE_TIME = aiohttp.ClientTimeout(total=60, sock_connect=5, sock_read=10)
FILE_TIME = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=30)
_REDIRECTING = {301, 302, 303, 307, 308}
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age=(\d{1,9})")
_FAILURES = (aiohttp.ClientError, TimeoutError, asyncio.TimeoutError, OSError, ValueError)


@dataclass
class Web:
    """The HTTP sessions of a process, one for pages and one for files, as many downloads at once
    must not keep pages waiting; `via` tells our own requests when they come round.
    """

    trust: Callable[[], ssl.SSLContext]
    via: str
    _sessions: dict[bool, aiohttp.ClientSession] = field(default_factory=dict, repr=False)

    def session(self, *, page: bool) -> aiohttp.ClientSession:
        """The session for pages, or for files, begun on first use."""
        if page not in self._sessions:
            limit = PAGES_AT_ONCE if page else FILES_AT_ONCE
            self._sessions[page] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=limit, ssl=self.trust()),
                trust_env=True,
                headers={"User-Agent": f"bonded/{__version__}", "Via": f"1.1 {self.via}"},
                raise_for_status=False,
            )
        return self._sessions[page]

    async def close(self) -> None:
        """End the sessions."""
        while self._sessions:
            await self._sessions.popitem()[1].close()

    async def send(
        self, url: str, login: Login | None, headers: dict[str, str], *, page: bool
    ) -> aiohttp.ClientResponse:
        """GET, following redirects; credentials stay with the origin they are for."""
        origin = _origin(url)
        for _ in range(REDIRECTS):
            response = await self.session(page=page).get(
                _authorised(url, login if _origin(url) == origin else None),
                headers=headers,
                timeout=PAGE_TIME if page else FILE_TIME,
                allow_redirects=False,
                # As pip does: some servers call the gzip of a '.tar.gz' its Content-Encoding.
                auto_decompress=page,
            )
            if response.status not in _REDIRECTING:
                return response
            response.release()
            url = _next(response)
        raise _RedirectLoop(f"it redirects more than {REDIRECTS - 1} times")


class _RedirectLoop(aiohttp.ClientError):
    """An upstream that sends us round in circles."""


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def _authorised(url: str, login: Login | None) -> URL:
    """aiohttp takes credentials out of a URL before it sends, logs or returns it; without any it
    looks into the user's netrc.
    """
    plain = URL(url)
    return plain if login is None else plain.with_user(login.user).with_password(login.password)


def _next(response: aiohttp.ClientResponse) -> str:
    url = urljoin(str(response.url), response.headers.get("Location", ""))
    if urlsplit(url).scheme not in ("http", "https") or url == str(response.url):
        raise _RedirectLoop("it redirects to itself or to nowhere")
    if response.url.scheme == "https" and not url.startswith("https:"):
        raise _RedirectLoop("it redirects from https to http")
    return url


@dataclass(frozen=True)
class HttpIndex:
    """A Simple index at a URL. `label` names it for people, without secrets."""

    address: Address
    id: int
    web: Web = field(repr=False)

    @property
    def label(self) -> str:
        """Its URL, without credentials."""
        return self.address.url

    async def ask(self, name: NormalizedName, known: Validators | None) -> Answer:
        """Ask for a page, conditionally if one is known."""
        url = f"{self.address.url.rstrip('/')}/{name}/"
        headers = {"Accept": ACCEPT} | _conditions(known)
        with self._told():
            async with await self.web.send(
                url, self.address.auth(), headers, page=True
            ) as response:
                return await self._answer(name, response, known)

    async def _answer(
        self, name: NormalizedName, response: aiohttp.ClientResponse, known: Validators | None
    ) -> Answer:
        max_age = _max_age(response.headers)
        if response.status == 304 and known is not None:
            return Answer(project=None, max_age=max_age)
        if response.status in (404, 410):
            absent = Project(name=name, absent=f"{self.label} has no project {name}")
            return Answer(project=absent)
        self._check(response)
        body = await self._body(response)
        origin = parse.From(str(response.url), self.label, self.id)
        kind = response.headers.get("Content-Type", "")
        project = await asyncio.to_thread(parse.page, body, kind, name, origin)
        return Answer(project=project, validators=_validators(response.headers), max_age=max_age)

    async def _body(self, response: aiohttp.ClientResponse, limit: int = MAX_PAGE) -> bytes:
        parts, size = [], 0
        async for part in response.content.iter_any():
            parts.append(part)
            size += len(part)
            if size > limit:
                response.close()
                raise ValueError(f"it sent more than the {limit} bytes there may be")
        return b"".join(parts)

    def _check(self, response: aiohttp.ClientResponse) -> None:
        if response.status in (401, 403, 407):
            raise Unavailable(
                f"The upstream {self.label} refuses our credentials (HTTP {response.status}).",
                code="upstream-refuses",
                hint="Give the upstream a credential reference, or renew what it refers to.",
                retry_after=RETRY_AFTER,
            )
        if response.status not in (200, 206):
            raise Unavailable(
                f"The upstream {self.label} answered HTTP {response.status}.",
                code="upstream-error",
                retry_after=_retry_after(response.headers),
            )

    async def open(self, url: str) -> Artifact:
        """Open a file of this index. Raises `Unavailable`, or `NotFound` if it is gone."""
        headers = {"Accept-Encoding": "identity"}
        with self._told():
            response = await self.web.send(url, self._auth(url), headers, page=False)
            try:
                self._check_file(response)
            except Problem:
                response.close()
                raise
        return _Download(response, self._told)

    def _check_file(self, response: aiohttp.ClientResponse) -> None:
        if response.status in (404, 410):
            raise NotFound(
                f"The upstream {self.label} no longer has this file.", code="upstream-file-gone"
            )
        self._check(response)

    async def tail(self, url: str, start: int | None, length: int) -> Ranged | None:
        """Read `length` bytes from `start` (None: the last ones); None if it gives no ranges."""
        wanted = f"bytes=-{length}" if start is None else f"bytes={start}-{start + length - 1}"
        headers = {"Accept-Encoding": "identity", "Range": wanted}
        with self._told():
            async with await self.web.send(url, self._auth(url), headers, page=False) as response:
                if response.status != 206:
                    # Leaving now closes the connection: the whole file is not read.
                    response.close()
                    return None
                body = await self._body(response, length)
                return _ranged(response.headers, body)

    def _auth(self, url: str) -> Login | None:
        """Credentials belong to the index's own origin; its files may lie elsewhere."""
        return self.address.auth() if _origin(url) == _origin(self.address.url) else None

    def _told(self) -> _Told:
        return _Told(self.label)


class _Told:
    """Turns what can go wrong on a network into an `Unavailable` that names the upstream."""

    def __init__(self, label: str) -> None:
        self.label = label

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _t: TracebackType | None,
    ) -> None:
        if isinstance(error, parse.NotAnIndexPage):
            raise Unavailable(error.message, code=error.code, retry_after=RETRY_AFTER) from error
        if isinstance(error, _FAILURES) and not isinstance(error, Problem):
            raise Unavailable(
                f"The upstream {self.label} cannot be reached or cannot be understood"
                f" ({_why(error)}).",
                code="upstream-unreachable",
                hint="Check the address, the proxy and the certificates; what was saved is still"
                " served.",
                retry_after=RETRY_AFTER,
            ) from error


def _why(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "the answer ended early"
    # The text of a connection error names host and port, never credentials.
    return str(error) or type(error).__name__


class _Download:
    """The body of a response, as it arrives."""

    def __init__(self, response: aiohttp.ClientResponse, told: Callable[[], _Told]) -> None:
        self._response, self._told = response, told
        self.size = response.content_length

    async def read(self, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The whole body; an upstream is read once, from its beginning."""
        assert start == 0, "a download begins at its beginning"
        assert end is None, "a download is read to its end"
        try:
            with self._told():
                async for part in self._response.content.iter_any():
                    yield part
        finally:
            self._response.close()


def _conditions(known: Validators | None) -> dict[str, str]:
    if known is None:
        return {}
    given = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
    return {key: value for key, value in given.items() if value}


def _validators(headers: Mapping[str, str]) -> Validators:
    return Validators(etag=headers.get("ETag"), last_modified=headers.get("Last-Modified"))


def _max_age(headers: Mapping[str, str]) -> int | None:
    control = headers.get("Cache-Control", "").lower()
    if "no-cache" in control or "no-store" in control:
        return 0
    found = _MAX_AGE.search(control)
    return int(found[1]) if found else None


def _retry_after(headers: Mapping[str, str]) -> int:
    given = headers.get("Retry-After", "")
    return min(int(given), 30) if given.isdecimal() else RETRY_AFTER


def _ranged(headers: Mapping[str, str], body: bytes) -> Ranged | None:
    found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", headers.get("Content-Range", "").strip())
    if found is None or int(found[2]) - int(found[1]) + 1 != len(body):
        return None
    return Ranged(int(found[1]), body, int(found[3]))
