"""An upstream index on loopback: it can be good, plain, slow, a liar, or gone."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from support.dists import Dist

JSON = "application/vnd.pypi.simple.v1+json"
DRIP = 64 << 10


@dataclass
class Upstream:
    """What it serves and how. Change the fields while it runs; `log` has what it was asked.

    `mode` is `ok`, or how pages fail: `500`, `401`, `hang`, `html-error`, `garbage`, `loop`.
    `files` is `ok`, or how files fail: `truncate`, `wrong`, `hang`, `500`; `drip` is slow, and
    `gated` waits for `gate` half-way.
    """

    dists: list[Dist] = field(default_factory=list)
    form: str = "json"
    hashes: bool = True
    sizes: bool = True
    metadata: bool = True
    ranges: bool = True
    uploaded: str | None = "2024-03-01T12:00:00.000000Z"
    yanked: dict[str, str] = field(default_factory=dict)
    status: str | None = None
    mode: str = "ok"
    files: str = "ok"
    max_age: int | None = 0
    user: tuple[str, str] | None = None
    listed_sha: dict[str, str] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    authorizations: list[str | None] = field(default_factory=list)
    url: str = ""
    gate: threading.Event = field(default_factory=threading.Event)

    def add(self, *dists: Dist) -> None:
        self.dists += dists

    def asked(self, part: str) -> list[str]:
        """The requests whose line contains `part`."""
        return [line for line in self.log if part in line]

    # pages

    async def page(self, request: web.Request) -> web.StreamResponse:
        self._note(request)
        name = request.match_info["name"]
        if self.user and request.headers.get("Authorization") is None:
            return web.Response(status=401)
        failed = await self._failure(request)
        if failed is not None:
            return failed
        found = [d for d in self.dists if d.project == name]
        if not found:
            return web.Response(status=404)
        response = self._json(name, found) if self.form == "json" else self._html(name, found)
        etag = '"' + hashlib.sha256(response.body).hexdigest()[:16] + '"'  # type: ignore[arg-type]
        if request.headers.get("If-None-Match") == etag:
            response = web.Response(status=304)
        response.headers["ETag"] = etag
        if self.max_age is not None:
            response.headers["Cache-Control"] = f"max-age={self.max_age}"
        return response

    async def _failure(self, request: web.Request) -> web.StreamResponse | None:
        match self.mode:
            case "500" | "401" | "403":
                return web.Response(status=int(self.mode), text="no")
            case "hang":
                await asyncio.sleep(3600)
            case "html-error":
                return web.Response(
                    text="<html><body>Sign in</body></html>", content_type="text/html"
                )
            case "garbage":
                return web.Response(body=b"{not json", content_type=JSON)
            case "loop":
                return web.Response(status=302, headers={"Location": str(request.url)})
        return None

    def _json(self, name: str, dists: list[Dist]) -> web.Response:
        page: dict[str, Any] = {
            "meta": {"api-version": "1.1" if self.sizes else "1.0"},
            "name": name,
            "versions": sorted({d.filename.split("-")[1] for d in dists}),
            "files": [self._file(d) for d in dists],
        }
        if self.status:
            page["project-status"] = {"status": self.status}
        response = web.json_response(page)
        response.content_type = JSON
        return response

    def _file(self, dist: Dist) -> dict[str, Any]:
        file: dict[str, Any] = {
            "filename": dist.filename,
            "url": f"../../files/{dist.filename}",
            "hashes": {"sha256": self._sha(dist)} if self.hashes else {},
        }
        if self.sizes:
            file["size"] = len(dist.body)
        if self.uploaded:
            file["upload-time"] = self.uploaded
        if self.metadata and dist.metadata and dist.filename.endswith(".whl"):
            file["core-metadata"] = {"sha256": hashlib.sha256(dist.metadata).hexdigest()}
        if dist.filename in self.yanked:
            file["yanked"] = self.yanked[dist.filename] or True
        return file

    def _html(self, name: str, dists: list[Dist]) -> web.Response:
        lines = [f"<!DOCTYPE html><html><head><title>Links for {name}</title></head><body>"]
        for dist in dists:
            fragment = f"#sha256={self._sha(dist)}" if self.hashes else ""
            lines.append(f'<a href="../../files/{dist.filename}{fragment}">{dist.filename}</a><br>')
        return web.Response(text="\n".join(lines) + "</body></html>", content_type="text/html")

    def _sha(self, dist: Dist) -> str:
        return self.listed_sha.get(dist.filename, dist.sha256)

    # files

    async def file(self, request: web.Request) -> web.StreamResponse:
        self._note(request)
        filename = request.match_info["filename"]
        if filename.endswith(".metadata"):
            return self._metadata(filename.removesuffix(".metadata"))
        dist = next((d for d in self.dists if d.filename == filename), None)
        if dist is None:
            return web.Response(status=404)
        if self.files == "500":
            return web.Response(status=500)
        return await self._send(request, dist)

    def _metadata(self, filename: str) -> web.Response:
        dist = next((d for d in self.dists if d.filename == filename), None)
        if dist is None or not self.metadata:
            return web.Response(status=404)
        return web.Response(body=dist.metadata)

    async def _send(self, request: web.Request, dist: Dist) -> web.StreamResponse:
        body = dist.body
        wanted = request.http_range
        if self.ranges and "Range" in request.headers:
            start, stop, _ = slice(wanted.start, wanted.stop).indices(len(body))
            headers = {"Content-Range": f"bytes {start}-{stop - 1}/{len(body)}"}
            return web.Response(status=206, body=body[start:stop], headers=headers)
        if self.files == "wrong":
            body = bytes(len(body))
        response = web.StreamResponse(headers={"Content-Length": str(len(body))})
        await response.prepare(request)
        half = len(body) // 2
        await response.write(body[:half])
        if self.files == "truncate":
            assert request.transport is not None
            request.transport.close()
            return response
        if self.files == "hang":
            await asyncio.sleep(3600)
        if self.files == "drip":
            for start in range(half, len(body), DRIP):
                await asyncio.sleep(0.005)
                await response.write(body[start : start + DRIP])
            return response
        if self.files == "gated":
            while not self.gate.is_set():
                await asyncio.sleep(0.01)
        await response.write(body[half:])
        return response

    def _note(self, request: web.Request) -> None:
        extra = f" {request.headers['Range']}" if "Range" in request.headers else ""
        self.log.append(f"{request.method} {request.path}{extra}")
        self.authorizations.append(request.headers.get("Authorization"))


@contextmanager
def running(upstream: Upstream, port: int = 0) -> Iterator[Upstream]:
    """Serve it on loopback, in a thread."""
    started, loop = threading.Event(), asyncio.new_event_loop()
    stopping: asyncio.Event = asyncio.Event()

    async def serve() -> None:
        app = web.Application()
        app.router.add_get("/simple/{name}/", upstream.page)
        app.router.add_get("/files/{filename}", upstream.file)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        address = site._server.sockets[0].getsockname()  # type: ignore[union-attr]
        upstream.url = f"http://127.0.0.1:{address[1]}/simple/"
        started.set()
        await stopping.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield upstream
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(10)
        loop.close()
