"""An index of ours on a loopback port, for a resolver that wants a URL, while it asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from aiohttp import web
from packaging.utils import NormalizedName, canonicalize_name

from bonded.model.files import File, Project
from bonded.model.problems import Problem
from bonded.planning.asks import Shop
from bonded.simple import render
from bonded.simple.negotiate import Form


@dataclass
class Loopback:
    """Serves pages and metadata of a shop, and no files: a resolver needs none.

    `troubles` are the problems met on the way, which the resolver would tell in its own words.
    """

    shop: Shop
    troubles: list[Problem] = field(default_factory=list)
    _pages: dict[NormalizedName, asyncio.Task[Project]] = field(default_factory=dict)

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        """The URL of the index, up for the time of the block."""
        app = web.Application()
        app.router.add_get("/simple/{name}/", self._page)
        app.router.add_get("/files/{name}/{filename}", self._metadata)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}/simple/"
        finally:
            await runner.cleanup()

    async def _project(self, name: NormalizedName) -> Project:
        if name not in self._pages:
            self._pages[name] = asyncio.ensure_future(self.shop.project(name))
        return await asyncio.shield(self._pages[name])

    async def _page(self, request: web.Request) -> web.Response:
        try:
            project = await self._project(canonicalize_name(request.match_info["name"]))
        except Problem as problem:
            return self._failed(problem)
        if project.absent is not None:
            return web.Response(status=404)
        shown = replace(project, files=tuple(map(_with_metadata, project.files)))
        headers = {"Content-Type": Form.JSON.value}
        return web.Response(body=render.json_page(shown), headers=headers)

    async def _metadata(self, request: web.Request) -> web.Response:
        filename = request.match_info["filename"].removesuffix(".metadata")
        try:
            project = await self._project(canonicalize_name(request.match_info["name"]))
            file = next((f for f in project.files if f.filename == filename), None)
            if file is None or filename == request.match_info["filename"]:
                return web.Response(status=404)
            return web.Response(body=await self.shop.metadata(file))
        except Problem as problem:
            return self._failed(problem)

    def _failed(self, problem: Problem) -> web.Response:
        self.troubles.append(problem)
        return web.Response(status=problem.status, text=problem.message)


def _with_metadata(file: File) -> File:
    """Every wheel's metadata is to be had here: it is found, however the index has it."""
    return replace(file, metadata="true") if file.is_wheel else file
