"""A wheel's METADATA (PEP 658): kept, fetched from the upstream, or read off the wheel's tail."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from bonded.model.files import File
from bonded.model.problems import BadInput, BadUpstream, NotFound, Problem
from bonded.ports import Remote, Transaction, UnitOfWork
from bonded.simple import tails
from bonded.simple.archives import MAX_METADATA

#: How many ranges of a wheel to read before giving up on it.
MAX_READS = 6


@dataclass
class Describe:
    """Finds METADATA, one search in this process for each wheel, however many ask."""

    remote: Callable[[int], Remote]
    uow: UnitOfWork
    _running: dict[object, asyncio.Future[bytes]] = field(default_factory=dict, repr=False)

    async def metadata(self, file: File) -> bytes:
        """METADATA of a wheel. Raises `NotFound` if there is none to be had."""
        kept = await self.uow.read(lambda tx: _kept(tx, file))
        if kept is not None:
            return kept
        if file.source.upstream is None or not file.is_wheel:
            raise NotFound(f"{file.filename} has no metadata file.", code="no-metadata")
        return await asyncio.shield(self._search(file))

    def in_background(self, file: File) -> None:
        """Find it for the next one who asks; a failure will be told to that one."""
        if file.source.upstream is not None and file.is_wheel and file.metadata is None:
            self._search(file).add_done_callback(lambda f: f.cancelled() or f.exception())

    def _search(self, file: File) -> asyncio.Future[bytes]:
        key = (file.source.upstream, file.filename, file.sha256)
        if key not in self._running:
            self._running[key] = asyncio.ensure_future(self._find(file))
            self._running[key].add_done_callback(lambda _: self._running.pop(key, None))
        return self._running[key]

    async def _find(self, file: File) -> bytes:
        upstream = file.source.upstream
        assert upstream is not None
        body = await find(self.remote(upstream), file)

        def keep(tx: Transaction) -> None:
            tx.metadata.describe(upstream, file, tx.metadata.put(body))

        await self.uow.write(keep)
        return body


async def find(remote: Remote, file: File) -> bytes:
    """METADATA of an upstream's wheel: its own file of it, else read off the wheel's tail.

    Raises `NotFound` if neither is to be had.
    """
    url = file.source.url
    assert url is not None
    body = await _vouched(remote, file, url) if file.metadata else None
    return await _from_tail(remote, file, url) if body is None else body


def _kept(tx: Transaction, file: File) -> bytes | None:
    sha256 = file.metadata if file.metadata != "true" else None
    if sha256 is None and file.source.upstream is not None:
        made = tx.metadata.described(file.source.upstream, file.project)
        sha256 = made.get((file.filename, file.sha256))
    return tx.metadata.get(sha256) if sha256 is not None else None


async def _vouched(remote: Remote, file: File, url: str) -> bytes | None:
    """The upstream's own METADATA file; None if it does not have it after all."""
    parts = urlsplit(url)
    try:
        artifact = await remote.open(urlunsplit(parts._replace(path=parts.path + ".metadata")))
    except NotFound:
        return None
    body = b""
    async for piece in artifact.read():
        body += piece
        if len(body) > MAX_METADATA:
            raise BadUpstream(f"The METADATA of {file.filename} is too large.", code="too-large")
    if file.metadata not in ("true", hashlib.sha256(body).hexdigest()):
        raise BadUpstream(
            f"{remote.label} sent another METADATA for {file.filename} than it lists; it was not"
            " kept.",
            code="upstream-hash",
        )
    return body


async def _from_tail(remote: Remote, file: File, url: str) -> bytes:
    last = await remote.tail(url, None, tails.FIRST_TAIL)
    if last is None:
        raise _none(file, f"{remote.label} has none and gives no ranges of the file")
    sparse = tails.Sparse(last.size)
    sparse.add(last.start, last.body)
    for _ in range(MAX_READS):
        try:
            return tails.metadata(sparse, file.filename)
        except tails.Needed as needed:
            part = await remote.tail(url, needed.start, needed.length)
            if part is None:
                break
            sparse.add(part.start, part.body)
        except BadInput as problem:
            raise _none(file, problem.message) from None
    raise _none(file, "it could not be read from its tail")


def _none(file: File, why: str) -> Problem:
    return NotFound(f"{file.filename} has no metadata file: {why}.", code="no-metadata")
