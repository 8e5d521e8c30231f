"""The way in: every request is authenticated, sent to its room, answered and noted here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from time import perf_counter
from urllib.parse import quote

from bonded.model.feeds import Feed
from bonded.model.problems import NotFound, Problem, Unavailable
from bonded.model.tokens import Scope as Right
from bonded.operations.directory import Directory
from bonded.web import auth, problems, routes
from bonded.web.files import Files
from bonded.web.health import Health
from bonded.web.journal import Journal
from bonded.web.messages import Receive, Request, Response, Scope, Send, redirect
from bonded.web.problems import MethodNotAllowed
from bonded.web.ranges import Unsatisfiable
from bonded.web.simple import SimplePages
from bonded.web.upload import ClientGone, UploadRoute, drain

CHUNK = 256 << 10
#: What the log has for an answer that the client left, and for one that was cut off.
CLIENT_LEFT, CUT_OFF = 499, 599
PATHSEND = "http.response.pathsend"


@dataclass(frozen=True)
class Rooms:
    """The handlers, and what they need, of one worker."""

    directory: Directory
    pages: SimplePages
    files: Files
    upload: UploadRoute
    health: Health
    journal: Journal
    identity: str
    prefix: str = ""
    trusted_proxy: bool = False


Opening = Callable[[], AbstractAsyncContextManager[Rooms]]


class Front:
    """The ASGI application. `opening` makes its rooms when the worker starts."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._rooms: Rooms | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI's entry."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            assert self._rooms is not None, "a request before the start"
            await _Exchange(self._rooms, scope, receive, send).run()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            async with self._opening() as rooms:
                self._rooms = rooms
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except Problem as problem:
            await send({"type": "lifespan.startup.failed", "message": problem.message})
            return
        await send({"type": "lifespan.shutdown.complete"})


class _Exchange:
    """One request and its answer."""

    def __init__(self, rooms: Rooms, scope: Scope, receive: Receive, send: Send) -> None:
        self.rooms, self.scope, self.send = rooms, scope, send
        headers = dict(scope["headers"])
        client = scope.get("client")
        self.request = Request(
            method=scope["method"],
            path=scope["path"],
            query=scope.get("query_string", b""),
            headers=headers,
            client=_client(client[0] if client else "-", headers, rooms.trusted_proxy),
            receive=receive,
        )
        self.route, self.sent = "other", 0

    async def run(self) -> None:
        """Answer, whatever happens, and note it."""
        begun = perf_counter()
        status = CLIENT_LEFT
        try:
            response = await self._answer()
            status = response.status
            await self._deliver(response)
        except ClientGone as problem:
            # It may only have stopped sending, and listen still.
            with suppress(Exception):
                await self._deliver(problems.render(problem))
        except Exception as error:
            # What was sent cannot be taken back, only left incomplete: the server then cuts the
            # connection.
            status = CUT_OFF
            why = error.message if isinstance(error, Problem) else repr(error)
            self.rooms.journal.note(f"cut off {self.request.path}: {why}")
            raise
        finally:
            self._note(status, perf_counter() - begun)

    def _note(self, status: int, seconds: float) -> None:
        journal, request = self.rooms.journal, self.request
        journal.answered(self.route, status, self.sent, seconds)
        if journal.logs:
            who = f"{request.client} {quote(request.actor, safe=' ()@:/+.,=')!r}"
            line = f"{request.method} {quote(request.path)}"
            journal.access(who, line, status, self.sent, seconds)

    async def _answer(self) -> Response:
        try:
            return await self._dispatch()
        except Unsatisfiable as problem:
            response = problems.render(problem)
            response.headers.append((b"content-range", b"bytes */%d" % problem.size))
            return response
        except ClientGone:
            raise
        except Problem as problem:
            if problem.status >= 500:
                self.rooms.journal.note_once(problem.message)
            return await self._refuse(problem)
        except Exception as error:
            self.rooms.journal.note(f"{self.request.method} {self.request.path}: {error!r}")
            return await self._refuse(
                Problem("Something went wrong here; the server's log has it.", code="internal")
            )

    async def _refuse(self, problem: Problem) -> Response:
        if self.request.method == "POST":
            await drain(self.request)
        return problems.render(problem)

    async def _dispatch(self) -> Response:
        request, rooms = self.request, self.rooms
        path = request.path
        if rooms.prefix and path.startswith(rooms.prefix + "/"):
            path = path[len(rooms.prefix) :]
        plain = await rooms.health.get(request, path)
        if plain is not None:
            self.route = "health"
            return plain
        if rooms.identity.encode() in request.headers.get(b"via", b""):
            raise Unavailable(
                "This request came back to where it began: an upstream of the feed leads here.",
                code="upstream-loop",
                hint="Set the default index of this machine's pip and uv to another index than"
                " this server, or give the feed the URL of its upstream.",
            )
        await rooms.directory.refresh()
        # Before the path is looked at: a token that expired is never answered with 404.
        request.token = rooms.directory.authenticate(
            auth.secret(request.headers.get(b"authorization"))
        )
        route = routes.parse(path)
        if route is None:
            raise _nowhere(request.path)
        self.route = route.kind if route.kind in ("simple", "files", "legacy") else "other"
        return await self._room(route)

    async def _room(self, route: routes.Route) -> Response:
        if route.kind == "simple":
            return await self._simple(route)
        if route.kind == "files" and len(route.rest) == 2:
            feed = self._admitted(route, Right.READ)
            return await self.rooms.files.get(self.request, feed, *route.rest)
        if route.kind == "legacy" and route.rest in ((), ("",)):
            feed = self._admitted(route, Right.WRITE, "POST")
            return await self.rooms.upload.post(self.request, feed)
        if route.kind == "home":
            self._admitted(route, Right.READ)
            return redirect("simple/")
        raise _nowhere(self.request.path)

    async def _simple(self, route: routes.Route) -> Response:
        feed = self._admitted(route, Right.READ)
        match route.rest:
            case ():
                return redirect(self._slashed("simple"))
            case ("",):
                return await self.rooms.pages.root(self.request, feed)
            case (project,):
                return redirect(self._slashed(quote(project)))
            case (project, ""):
                return await self.rooms.pages.project(self.request, feed, project)
        raise _nowhere(self.request.path)

    def _slashed(self, last: str) -> str:
        query = self.request.query.decode("latin-1")
        return f"{last}/?{query}" if query else f"{last}/"

    def _admitted(self, route: routes.Route, right: Right, *methods: str) -> Feed:
        feed = self.rooms.directory.admit(self.request.token, route.feed, right)
        allowed = methods or ("GET", "HEAD")
        if self.request.method not in allowed:
            raise MethodNotAllowed(self.request.method, *allowed)
        return feed

    async def _deliver(self, response: Response) -> None:
        start = {"type": "http.response.start", "status": response.status}
        await self.send({**start, "headers": response.headers})
        if self.request.method == "HEAD" or response.status == 304:
            await _close(response)
            await self.send({"type": "http.response.body", "body": b""})
        elif response.path is not None and PATHSEND in (self.scope.get("extensions") or {}):
            self.sent = response.size or 0
            await self.send({"type": PATHSEND, "path": str(response.path)})
        elif response.path is not None:
            await self._stream(_read(str(response.path)))
        elif response.pieces is not None:
            await self._stream(response.pieces)
        else:
            self.sent = len(response.body)
            await self.send({"type": "http.response.body", "body": response.body})

    async def _stream(self, pieces: AsyncIterator[bytes]) -> None:
        async for piece in pieces:
            await self.send({"type": "http.response.body", "body": piece, "more_body": True})
            self.sent += len(piece)
        await self.send({"type": "http.response.body", "body": b""})


async def _close(response: Response) -> None:
    closing: Callable[[], Awaitable[None]] | None = getattr(response.pieces, "aclose", None)
    if closing is not None:
        await closing()


async def _read(path: str) -> AsyncIterator[bytes]:
    with open(path, "rb") as file:  # noqa: ASYNC230, PTH123
        while piece := await asyncio.to_thread(file.read, CHUNK):
            yield piece


def _client(address: str, headers: dict[bytes, bytes], trusted: bool) -> str:
    """The caller's address; a proxy's word for it counts only where the proxy is trusted."""
    forwarded = headers.get(b"x-forwarded-for") if trusted else None
    if not forwarded:
        return address
    # The last entry is the one our own proxy has added.
    last = forwarded.rpartition(b",")[2].strip().decode("latin-1")
    return "".join(c for c in last if c.isalnum() or c in ".:[]-")[:64] or address


def _nowhere(path: str) -> NotFound:
    return NotFound(
        f"There is nothing at {quote(path)}.",
        code="no-such-path",
        hint="Indexes are at /FEED/simple/ and uploads go to /FEED/legacy/.",
    )
