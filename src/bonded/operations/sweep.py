"""Remove what nothing refers to, and check that what is listed is there and right."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice

from bonded.model.names import FeedName
from bonded.model.problems import NotFound, Problem
from bonded.ports import BlobStore, Row, Transaction, UnitOfWork

BATCH = 500


@dataclass(frozen=True)
class Sweep:
    """Removes bytes that no listed file has: left by a crash, or by a deletion."""

    uow: UnitOfWork
    blobs: BlobStore

    async def blob(self, *keys: str) -> int:
        """Remove those of `keys` that nothing refers to; how many."""

        def work(tx: Transaction) -> int:
            # Inside the transaction: an upload of these bytes lists them before or after it, and
            # after it finds them gone and puts them again.
            loose = [key for key in keys if not tx.holdings.refers(key)]
            for key in loose:
                self.blobs.delete(key)
            tx.metadata.prune()
            return len(loose)

        return await self.uow.write(work)

    @asynccontextmanager
    async def unless_listed(self, key: str) -> AsyncIterator[None]:
        """Remove the bytes of `key` again should that fail which puts and lists them."""
        try:
            yield
        except Exception:
            with suppress(Problem):
                await self.blob(key)
            raise

    async def everything(self) -> int:
        """Look at every blob there is; how many were removed."""
        removed, keys = 0, self.blobs.keys()
        while batch := await asyncio.to_thread(lambda: list(islice(keys, BATCH))):
            loose = await self.uow.read(lambda tx, b=batch: _loose(tx, b))  # type: ignore[misc]
            removed += await self.blob(*loose) if loose else 0
        return removed


def _loose(tx: Transaction, keys: list[str]) -> list[str]:
    return [key for key in keys if not tx.holdings.refers(key)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A listed file whose bytes are not what they should be."""

    feed: FeedName
    filename: str
    what: str


@dataclass
class Report:
    """What a check has found. `files` and `size` (in bytes) say how much was looked at."""

    files: int = 0
    size: int = 0
    faults: list[Fault] = field(default_factory=list)


@dataclass(frozen=True)
class Check:
    """Reads every listed file and compares its hash."""

    uow: UnitOfWork
    blobs: BlobStore

    async def run(self, step: Callable[[Row], None]) -> Report:
        """Check everything; `step` is told of each file."""
        report = Report()
        listed = await self.uow.read(lambda tx: list(tx.holdings.all()))
        seen: dict[str, str | None] = {}
        for feed, row in listed:
            if row.blob not in seen:
                seen[row.blob] = await self._fault(row)
                report.size += row.file.size or 0
            report.files += 1
            step(row)
            fault = seen[row.blob] or await self._metadata_fault(row)
            if fault and await self._still_listed(feed, row):
                report.faults.append(Fault(feed=feed, filename=row.file.filename, what=fault))
        return report

    async def _still_listed(self, feed: FeedName, row: Row) -> bool:
        """Not deleted while the check was on its way."""

        def look(tx: Transaction) -> bool:
            place = next((f for f in tx.feeds.all() if f.name == feed), None)
            found = tx.files.find(place, row.file.filename) if place is not None else None
            return found is not None and found.deleted is None and found.blob == row.blob

        return await self.uow.read(look)

    async def _fault(self, row: Row) -> str | None:
        digest, size = hashlib.sha256(), 0
        try:
            async for piece in self.blobs.open(row.blob).read():
                digest.update(piece)
                size += len(piece)
        except NotFound:
            return "its bytes are missing"
        except OSError as error:
            return f"its bytes cannot be read ({error.strerror})"
        if size != row.file.size:
            return f"it has {size} bytes and should have {row.file.size}"
        return (
            None if digest.hexdigest() == row.blob else "its bytes are not those it was kept with"
        )

    async def _metadata_fault(self, row: Row) -> str | None:
        sha256 = row.file.metadata
        if sha256 is None or await self.uow.read(lambda tx: tx.metadata.get(sha256)) is not None:
            return None
        return "its metadata is missing"
