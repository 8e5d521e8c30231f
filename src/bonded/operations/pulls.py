"""Pull a file from an upstream: to the clients and into the feed at once."""

from __future__ import annotations

import asyncio
import hashlib
import os
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from bonded.model.feeds import Feed
from bonded.model.files import File, Kind, Source
from bonded.model.problems import BadInput, BadUpstream, NotFound, Problem, Unavailable
from bonded.operations.feeds import as_it_is
from bonded.operations.sweep import Sweep
from bonded.ports import (
    Artifact,
    BlobStore,
    Remote,
    Row,
    Spool,
    Spooled,
    Transaction,
    UnitOfWork,
)
from bonded.simple.archives import (
    BROKEN,
    complete,
    parse_metadata,
    requires_python,
    wheel_metadata,
)

#: What is kept back of a file until its hash was verified, so that a wrong one is never complete.
HELD_BACK = 64 << 10
CHUNK = 256 << 10
IN_A_THREAD = 64 << 10
TRIES = 5


@dataclass(eq=False)
class Pull:
    """A download in progress, followed by however many clients ask for it.

    `size` is in bytes, None while the upstream has not said.
    """

    spooled: Spooled
    size: int | None
    received: int = 0
    done: bool = False
    problem: Problem | None = None
    _moved: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    def __post_init__(self) -> None:
        # Open as long as anybody follows, though the temporary file be gone by then.
        self._file = os.open(self.spooled.path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._file)

    def advance(self) -> None:
        """Tell the followers that there is more."""
        self.received = self.spooled.size
        self._wake()

    def end(self, problem: Problem | None) -> None:
        """Tell the followers that this was all, or what went wrong."""
        self.done, self.problem = True, problem
        self._wake()

    def _wake(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()

    async def follow(self, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` up to `end` as they arrive; the last ones once verified.

        Raises the `Problem` that ended the download, so that the answer is cut off there.
        """
        position = start
        while end is None or position < end:
            moved, stop = self._moved, self._available(end)
            if position < stop:
                piece = os.pread(self._file, min(CHUNK, stop - position), position)
                position += len(piece)
                yield piece
            elif self.done:
                break
            else:
                await moved.wait()
        if self.problem is not None:
            raise self.problem

    def _available(self, end: int | None) -> int:
        if self.problem is not None:
            return 0
        there = self.received if self.done else max(0, self.received - HELD_BACK)
        return there if end is None else min(there, end)


@dataclass
class Pulls:
    """Pulls files into feeds: one fetch in this process for each, however many ask."""

    remote: Callable[[int], Remote]
    uow: UnitOfWork
    blobs: BlobStore
    spool: Spool
    warn: Callable[[str], None]
    _running: dict[tuple[int, str], asyncio.Future[Pull]] = field(default_factory=dict, repr=False)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set, repr=False)

    async def begin(self, feed: Feed, file: File, actor: str) -> Pull:
        """The pull of a file, begun or joined. It goes on when the client leaves.

        Raises `Unavailable` or `NotFound` if the upstream does not give the file.
        """
        key = (feed.id, file.filename)
        if key not in self._running:
            self._running[key] = asyncio.ensure_future(self._begin(feed, file, actor, key))
            self._running[key].add_done_callback(lambda f: self._begun(key, f))
        return await asyncio.shield(self._running[key])

    def _begun(self, key: tuple[int, str], future: asyncio.Future[Pull]) -> None:
        if future.cancelled() or future.exception() is not None:
            self._running.pop(key, None)

    async def _begin(self, feed: Feed, file: File, actor: str, key: tuple[int, str]) -> Pull:
        assert file.source.upstream is not None
        assert file.source.url is not None
        artifact = await self.remote(file.source.upstream).open(file.source.url)
        _check_size(file, artifact)
        pull = Pull(self.spool.new(), artifact.size)
        task = asyncio.create_task(self._run(feed, file, actor, artifact, pull, key))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return pull

    async def _run(
        self,
        feed: Feed,
        file: File,
        actor: str,
        artifact: Artifact,
        pull: Pull,
        key: tuple[int, str],
    ) -> None:
        problem: Problem | None = Unavailable("The server is stopping.", code="stopping")
        try:
            await _receive(artifact, pull)
            await asyncio.to_thread(_verify, file, pull)
            await self._keep(feed, file, actor, pull)
            problem = None
        except Problem as error:
            problem = error
            await self._tell(feed, file, error)
        except Exception as error:  # whatever it is, nobody may wait for ever
            problem = Unavailable(
                f"Pulling {file.filename} failed ({type(error).__name__}).", code="pull-failed"
            )
            self.warn(f"pull of {file.filename} failed: {error!r}")
        finally:
            self._running.pop(key, None)
            pull.end(problem)
            pull.spooled.close()

    async def _keep(self, feed: Feed, file: File, actor: str, pull: Pull) -> None:
        """List the file among the saved ones; its bytes are durable by then."""
        sha256 = pull.spooled.sha256()
        body = await asyncio.to_thread(_metadata, pull.spooled.path, file, pull.received)
        row = Row(file=_saved(file, pull, body), blob=sha256, kind=Kind.SAVED)
        async with Sweep(self.uow, self.blobs).unless_listed(sha256):
            for _ in range(TRIES):
                await self.blobs.put(sha256, pull.spooled)
                if await self.uow.write(lambda tx: self._list(tx, feed, actor, row, body)):
                    return
        raise Unavailable("The file could not be kept; ask again.", code="swept", retry_after=1)

    def _list(self, tx: Transaction, feed: Feed, actor: str, row: Row, body: bytes | None) -> bool:
        current, file = as_it_is(tx, feed), row.file
        known = tx.files.find(current, file.filename)
        if known is not None:
            return _agree(known, row)
        if tx.claims.covering(current, file.project) is not None:
            raise NotFound(f"{file.project} now belongs to {feed.name}.", code="name-claimed")
        if not self.blobs.there(row.blob):
            return False
        if body is not None:
            tx.metadata.put(body)
        if tx.projects.get(current, file.project) is None:
            tx.projects.put(current, file.project, Kind.UPSTREAM)
        tx.files.add(current, row)
        detail = f"sha256 {row.blob} from {file.source.label}"
        tx.audit.write(actor, "save", current, file.filename, detail)
        return True

    async def _tell(self, feed: Feed, file: File, problem: Problem) -> None:
        self.warn(f"pull of {file.filename} for {feed.name}: {problem.message}")
        if isinstance(problem, BadUpstream):
            subject, detail = file.filename, problem.message
            # The log has it should the catalog be full.
            with suppress(Problem):
                await self.uow.write(
                    lambda tx: tx.audit.once(
                        "bonded", "refuse-upstream-file", feed, subject, detail
                    )
                )

    async def finish(self) -> None:
        """Stop what runs."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _receive(artifact: Artifact, pull: Pull) -> None:
    async for part in artifact.read():
        if len(part) > IN_A_THREAD:
            await asyncio.to_thread(pull.spooled.write, part)
        else:
            pull.spooled.write(part)
        pull.advance()


def _check_size(file: File, artifact: Artifact) -> None:
    if file.size is not None and artifact.size is not None and file.size != artifact.size:
        raise BadUpstream(
            f"{file.source.label} lists {file.filename} with {file.size} bytes and sends"
            f" {artifact.size}.",
            code="upstream-size",
        )


def _verify(file: File, pull: Pull) -> None:
    """What came must be what was listed; raises `BadUpstream`."""
    expected = file.size if file.size is not None else pull.size
    if expected is not None and pull.received != expected:
        raise BadUpstream(
            f"{file.source.label} sent {pull.received} of the {expected} bytes of {file.filename}.",
            code="upstream-truncated",
        )
    if file.sha256 is not None and pull.spooled.sha256() != file.sha256:
        raise _other_bytes(file, f"sha256 {pull.spooled.sha256()}", f"sha256 {file.sha256}")
    if file.sha256 is None and file.source.digest is not None:
        _verify_other(file, pull.spooled.path, file.source.digest)
    if file.sha256 is None and file.source.digest is None and expected is None:
        _verify_end(file, pull)


def _verify_end(file: File, pull: Pull) -> None:
    with pull.spooled.path.open("rb") as body:
        if not complete(body, file.filename):
            raise BadUpstream(
                f"{file.source.label} sent {pull.received} bytes for {file.filename}, which are no"
                " whole archive; they were not kept.",
                code="upstream-truncated",
            )


def _verify_other(file: File, path: Path, digest: str) -> None:
    algorithm, _, expected = digest.partition("=")
    with path.open("rb") as body:
        found = hashlib.file_digest(body, algorithm).hexdigest()
    if found != expected:
        raise _other_bytes(file, f"{algorithm} {found}", f"{algorithm} {expected}")


def _other_bytes(file: File, found: str, listed: str) -> BadUpstream:
    return BadUpstream(
        f"{file.source.label} sent other bytes for {file.filename} than it lists"
        f" ({found}, listed {listed}); they were not kept.",
        code="upstream-hash",
    )


def _agree(known: Row, row: Row) -> bool:
    """Another worker was first: right, if it saved the same bytes."""
    if known.blob != row.blob or known.deleted is not None:
        raise BadUpstream(
            f"{row.file.source.label} sent other bytes for {row.file.filename} than were saved"
            " before; the saved ones stay.",
            code="upstream-hash",
        )
    return True


def _metadata(path: Path, file: File, size: int) -> bytes | None:
    if not file.is_wheel:
        return None
    try:
        with path.open("rb") as body:
            return wheel_metadata(body, file.filename, size)
    except (BadInput, *BROKEN):
        # Strange, but the bytes are those the upstream vouches for.
        return None


def _saved(file: File, pull: Pull, body: bytes | None) -> File:
    python = file.requires_python or (requires_python(parse_metadata(body)) if body else None)
    return replace(
        file,
        sha256=pull.spooled.sha256(),
        size=pull.received,
        requires_python=python,
        metadata=None if body is None else hashlib.sha256(body).hexdigest(),
        source=Source(kind=Kind.SAVED, label=file.source.label),
    )
