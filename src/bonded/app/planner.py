"""What a plan is made with: indexes by URL and feeds of the data folder, in order, and uv."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bonded.app.folder import Folder, folder
from bonded.app.upstreams import Upstreams, upstreams
from bonded.model.feeds import DEFAULT, UpstreamSpec
from bonded.model.files import File
from bonded.model.names import FeedName
from bonded.operations.describe import Describe, find
from bonded.operations.shop import Asked, Shop
from bonded.ports import Index, Remote
from bonded.solvers.uv import Uv
from bonded.sources import machine
from bonded.sources.credentials import Address
from bonded.sources.http import HttpIndex, Web
from bonded.views.ordered import Ordered

__all__ = ["Uv", "shop"]


@dataclass
class _Counter:
    """The indexes of one plan. Those given by URL have negative numbers, which no feed's has."""

    web: Web
    remotes: dict[int, HttpIndex] = field(default_factory=dict)
    opened: tuple[Folder, Upstreams, Describe] | None = None

    def by_url(self, text: str) -> Index:
        spec = UpstreamSpec.parse(text)
        url = machine.default_index() if spec.text == DEFAULT else spec.text
        number = -1 - len(self.remotes)
        self.remotes[number] = HttpIndex(Address.of(url), number, self.web)
        return Asked(self.remotes[number])

    async def by_feed(self, name: str) -> Index:
        assert self.opened is not None
        opened, reached, _ = self.opened
        feed = await opened.catalog.read(lambda tx: tx.feeds.get(FeedName(name)))
        return reached.stack().index(feed)

    async def look(self, file: File) -> bytes:
        remote = self.remotes.get(file.source.upstream or 0)
        if remote is not None:
            return await find(remote, file)
        assert self.opened is not None
        return await self.opened[2].metadata(file)

    async def measure(self, file: File) -> int | None:
        source = file.source
        if source.upstream is None or source.url is None:
            return None
        remote = self.remotes.get(source.upstream) or self._reached(source.upstream)
        first = await remote.tail(source.url, 0, 1)
        return first.size if first is not None else None

    def _reached(self, number: int) -> Remote:
        assert self.opened is not None
        return self.opened[1].remote(number)


@asynccontextmanager
async def shop(data: Path, sources: Sequence[tuple[str, str]]) -> AsyncIterator[Shop]:
    """A shop over `("index", URL)` and `("feed", NAME)`, the first that knows a name answering.

    The data folder is opened only for feeds. Without a source it is the default index.
    """
    web = Web(machine.trust, "bonded-plan")
    async with AsyncExitStack() as stack:
        stack.push_async_callback(web.close)
        counter = _Counter(web)
        if any(kind == "feed" for kind, _ in sources):
            opened = stack.enter_context(folder(data))
            reached = await stack.enter_async_context(upstreams(opened))
            describe = Describe(reached.remote, opened.catalog)
            counter.opened = opened, reached, describe
        indexes = [
            await counter.by_feed(text) if kind == "feed" else counter.by_url(text)
            for kind, text in sources or [("index", DEFAULT)]
        ]
        index = indexes[0] if len(indexes) == 1 else Ordered(tuple(indexes))
        yield Shop(index, counter.look, counter.measure)
