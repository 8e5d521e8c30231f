"""A relay before an index: pages and files go through it, and it notes all that it is asked.

Links to files are rewritten to lead through the relay too, so that whoever reads the index here
asks nobody else, and asks nobody once the relay has stopped.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit, urlunsplit

import aiohttp
from aiohttp import web
from selectolax.lexbor import LexborHTMLParser

from bonded.sources import machine
from bonded.sources.credentials import Address
from bonded.sources.http import Web

#: Headers that say something of what is asked for, or of what is sent.
ASKING = ("Accept", "If-None-Match", "If-Modified-Since", "Range", "If-Range")
PAGE = ("Content-Type", "ETag", "Last-Modified", "Cache-Control", "Retry-After")
FILE = (*PAGE, "Content-Length", "Content-Range", "Accept-Ranges")
_FAILURES = (aiohttp.ClientError, TimeoutError, OSError)


@dataclass
class Asked:
    """A request, noted when it came. `done`: the answer was sent to its end. `sent` is in bytes."""

    method: str
    path: str
    ranged: bool
    status: int = 0
    sent: int = 0
    done: bool = False

    @property
    def is_page(self) -> bool:
        return not self.path.startswith("/from/")

    @property
    def filename(self) -> str:
        """What the file is called, query and folders left out."""
        return urlsplit(self.path).path.rpartition("/")[2]

    @property
    def whole_file(self) -> bool:
        """Whether a distribution was sent from its first byte to its last."""
        wanted = self.method == "GET" and not self.ranged and not self.is_page
        return wanted and self.status == 200 and self.done and not self.is_metadata

    @property
    def is_metadata(self) -> bool:
        return not self.is_page and self.filename.endswith(".metadata")


_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_Noted = Callable[[web.Request, Asked], Awaitable[web.StreamResponse]]


@dataclass
class Origins:
    """The servers that pages link to. A link becomes `/from/NUMBER/path`; nobody else is asked."""

    known: list[str] = field(default_factory=list)

    def through(self, link: str) -> str:
        """An absolute link as it leads through the relay; what is not of the web stays."""
        parts = urlsplit(link)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            return link
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin not in self.known:
            self.known.append(origin)
        path = f"/from/{self.known.index(origin)}{parts.path or '/'}"
        return urlunsplit(("", "", path, parts.query, parts.fragment))

    def back(self, path: str) -> str | None:
        """The link that a path of the relay stands for."""
        _, _, number, rest = path.split("/", 3)
        place = int(number)
        return f"{self.known[place]}/{rest}" if place < len(self.known) else None


def rewritten(body: bytes, kind: str, url: str, through: Callable[[str], str]) -> bytes:
    """A page read at `url`, its links led through; all else in it stays as it was.

    What is no page of an index is passed on untouched: the one who asked is to judge it.
    """
    kind = kind.partition(";")[0].strip().lower()
    try:
        if kind.endswith("json"):
            return _json(body, url, through)
        return _html(body, url, through) if kind.endswith("html") else body
    except (ValueError, LookupError, TypeError):
        return body


def _json(body: bytes, url: str, through: Callable[[str], str]) -> bytes:
    page = json.loads(body)
    for file in page["files"]:
        file["url"] = through(urljoin(url, file["url"]))
    return json.dumps(page).encode()


def _html(body: bytes, url: str, through: Callable[[str], str]) -> bytes:
    tree = LexborHTMLParser(body.decode("utf-8", "replace"))
    for base in tree.css("base[href]")[:1]:
        url = urljoin(url, base.attributes["href"] or "")
    for base in tree.css("base"):
        base.decompose()
    for anchor in tree.css("a[href]"):
        anchor.attrs["href"] = through(urljoin(url, (anchor.attributes["href"] or "").strip()))
    return (tree.html or "").encode()


class Relay:
    """A relay before the index at a URL, whose credentials, if it has any, stay in here."""

    def __init__(self, index: str) -> None:
        self.log: list[Asked] = []
        self.port = 0
        self._address = Address.of(index)
        self._origins = Origins()
        self._origins.through(self._address.url)
        self._web = Web(machine.trust, "relay")
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """What to use in place of the index's own URL."""
        return f"http://127.0.0.1:{self.port}/simple/"

    @property
    def index(self) -> str:
        """The URL of the index behind it, without credentials."""
        return self._address.url

    async def start(self) -> None:
        """Listen on a free port of loopback."""
        app = web.Application()
        app.router.add_get("/simple/{name}/", self._noting(self._page))
        app.router.add_get(r"/from/{number:\d+}/{rest:.*}", self._noting(self._file))
        app.router.add_route("*", "/{rest:.*}", self._noting(self._nothing))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening and cut what is open; from now on connections are refused."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        await self._web.close()

    def _noting(self, handler: _Noted) -> _Handler:
        async def answer(request: web.Request) -> web.StreamResponse:
            asked = Asked(request.method, request.raw_path, "Range" in request.headers)
            self.log.append(asked)
            try:
                response = await handler(request, asked)
            except _FAILURES as error:
                response = web.Response(
                    status=502, text=f"The index behind cannot be read: {error}"
                )
            asked.status = response.status
            return response

        return answer

    async def _page(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        url = f"{self.index.rstrip('/')}/{request.match_info['name']}/"
        async with await self._ask(url, request, page=True) as answer:
            body = await answer.read()
            headers = _some(answer.headers, PAGE)
            if answer.status == 200:
                kind = headers.get("Content-Type", "")
                body = rewritten(body, kind, str(answer.url), self._origins.through)
            asked.done, asked.sent = True, len(body)
            return web.Response(status=answer.status, body=body, headers=headers)

    async def _file(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        url = self._origins.back(request.raw_path)
        if url is None:
            return web.Response(status=404)
        async with await self._ask(url, request, page=False) as answer:
            headers = _some(answer.headers, FILE)
            response = web.StreamResponse(status=answer.status, headers=headers)
            asked.status = answer.status
            await response.prepare(request)
            if request.method == "HEAD":
                asked.done = True
            else:
                await _pass_on(answer, response, request, asked)
            return response

    async def _nothing(self, _request: web.Request, asked: Asked) -> web.StreamResponse:
        asked.done = True
        return web.Response(status=404, text="There is only /simple/NAME/ here.")

    async def _ask(self, url: str, request: web.Request, *, page: bool) -> aiohttp.ClientResponse:
        own = _origin(url) == _origin(self.index)
        headers = _some(request.headers, ASKING)
        if not page:
            headers["Accept-Encoding"] = "identity"
        return await self._web.send(url, self._address.auth() if own else None, headers, page=page)


async def _pass_on(
    answer: aiohttp.ClientResponse,
    response: web.StreamResponse,
    request: web.Request,
    asked: Asked,
) -> None:
    """A body as it comes. If it ends early, so does ours: it must not look complete."""
    try:
        async for part in answer.content.iter_any():
            await response.write(part)
            asked.sent += len(part)
        await response.write_eof()
        asked.done = True
    except _FAILURES:
        answer.close()
        if request.transport is not None:
            request.transport.abort()


def _some(headers: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    return {name: headers[name] for name in names if name in headers}


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
