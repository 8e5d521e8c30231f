"""Addresses that need no token: whether the server lives, is ready, and how it is doing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bonded import __version__
from bonded.model.problems import Problem
from bonded.web import problems
from bonded.web.journal import Journal
from bonded.web.messages import Request, Response, text
from bonded.web.problems import MethodNotAllowed

_HOME = f"""Bonded {__version__}

Indexes are at  /FEED/simple/   (pip, uv: --index-url)
Uploads go to   /FEED/legacy/   (twine, uv publish, poetry, hatch)

The token is the password, with any username.
"""


@dataclass(frozen=True, slots=True)
class Health:
    """Answers for `/`, `/healthz`, `/readyz` and `/metrics`. `ready` raises what is amiss."""

    ready: Callable[[], Awaitable[None]]
    journal: Journal

    async def get(self, request: Request, path: str) -> Response | None:
        """The answer, or None if the path is not one of these."""
        answers = {
            "/": self._home,
            "/healthz": self._alive,
            "/readyz": self._ready,
            "/metrics": self._metrics,
        }
        answer = answers.get(path)
        if answer is None:
            return None
        if request.method not in ("GET", "HEAD"):
            raise MethodNotAllowed(request.method, "GET", "HEAD")
        return await answer()

    async def _home(self) -> Response:
        return text(200, _HOME)

    async def _alive(self) -> Response:
        return text(200, "ok\n")

    async def _ready(self) -> Response:
        try:
            await self.ready()
        except Problem as problem:
            response = problems.render(problem)
            response.status = 503
            return response
        return text(200, "ok\n")

    async def _metrics(self) -> Response:
        kind = "text/plain; version=0.0.4; charset=utf-8"
        return text(200, self.journal.metrics().decode(), kind)
