"""An index whose wheels can be looked into, for a planner: asked once for each thing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from packaging.utils import NormalizedName

from bonded.model.files import File, Project
from bonded.ports import Answer, Index, Remote


@dataclass(frozen=True)
class Asked:
    """A remote index as an index: nothing is remembered from one command to the next."""

    remote: Remote

    async def project(self, name: NormalizedName) -> Project:
        """The upstream's page."""
        answer: Answer = await self.remote.ask(name, None)
        assert answer.project is not None, "unconditionally asked"
        return answer.project


@dataclass
class Shop:
    """An index and a way to look into its wheels, each page and METADATA read once."""

    index: Index
    look: Callable[[File], Awaitable[bytes]]
    measure: Callable[[File], Awaitable[int | None]]
    _pages: dict[NormalizedName, asyncio.Task[Project]] = field(default_factory=dict, repr=False)
    _bodies: dict[str, asyncio.Task[bytes]] = field(default_factory=dict, repr=False)

    async def project(self, name: NormalizedName) -> Project:
        """The project, or one that is absent."""
        if name not in self._pages:
            self._pages[name] = asyncio.ensure_future(self.index.project(name))
        return await asyncio.shield(self._pages[name])

    async def metadata(self, file: File) -> bytes:
        """METADATA of a wheel."""
        if file.filename not in self._bodies:
            self._bodies[file.filename] = asyncio.ensure_future(self.look(file))
        return await asyncio.shield(self._bodies[file.filename])

    async def size(self, file: File) -> int | None:
        """The size of a file in bytes: as listed, else as the server says of its first byte."""
        return file.size if file.size is not None else await self.measure(file)
