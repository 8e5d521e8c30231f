"""Pulls over fakes: what an upstream vouches for is kept as it is, and anything else is not."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from bonded.catalog.engine import SqliteCatalog
from bonded.catalog.folder import prepare
from bonded.model.feeds import Feed, UpstreamSpec
from bonded.model.files import File, Kind
from bonded.model.names import FeedName
from bonded.model.problems import BadUpstream, Problem
from bonded.operations.pulls import Pulls
from bonded.testing import FakeRemote, FixedClock, MemoryBlobs, MemorySpool
from support.dists import wheel
from support.values import a_file

DIST = wheel("acme", extra={"acme/data.bin": bytes(300_000)}, stored=True)


@dataclass
class Room:
    """A feed, its fake upstream, and pulls between them."""

    feed: Feed
    pulls: Pulls
    remote: FakeRemote
    blobs: MemoryBlobs
    spool: MemorySpool
    catalog: SqliteCatalog
    said: list[str] = field(default_factory=list)

    async def pull(self, file: File) -> bytes:
        pull = await self.pulls.begin(self.feed, file, "tester")
        return b"".join([piece async for piece in pull.follow()])

    async def saved(self) -> list[File]:
        rows = await self.catalog.read(lambda tx: [row for _, row in tx.holdings.all()])
        return [row.file for row in rows if row.kind is Kind.SAVED]


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    prepare(tmp_path / "catalog.db")
    catalog = SqliteCatalog(tmp_path / "catalog.db", FixedClock())
    specs = [UpstreamSpec.parse("http://upstream.example/simple/")]
    feed = await catalog.write(lambda tx: tx.feeds.create(FeedName("team"), False, specs))
    remote, blobs, spool, said = FakeRemote([]), MemoryBlobs(), MemorySpool(), []
    pulls = Pulls(lambda _: remote, catalog, blobs, spool, said.append)
    yield Room(feed, pulls, remote, blobs, spool, catalog, said)
    await pulls.finish()
    catalog.close()
    assert all(s.closed and not s.path.exists() for s in spool.handed_out)


def listed(room: Room, body: bytes, **more: object) -> File:
    """A file of the upstream, whose bytes are `body`."""
    file = a_file(DIST.filename, sha256=hashlib.sha256(body).hexdigest(), size=len(body))
    assert file.source.url is not None
    room.remote.files[file.source.url] = body
    return replace(file, **more)


async def test_a_file_reaches_the_client_and_the_feed(room: Room) -> None:
    assert await room.pull(listed(room, DIST.body)) == DIST.body
    assert list(room.blobs.kept.values()) == [DIST.body]
    (file,) = await room.saved()
    assert (file.sha256, file.size) == (DIST.sha256, len(DIST.body))
    assert file.metadata == hashlib.sha256(DIST.metadata).hexdigest()


@pytest.mark.parametrize(
    "body", [b"no ZIP archive at all", b"PK\3\4" + bytes(500), b"", DIST.body[:-9]]
)
async def test_a_strange_wheel_that_the_upstream_vouches_for_is_kept(
    room: Room, body: bytes
) -> None:
    assert await room.pull(listed(room, body)) == body
    (file,) = await room.saved()
    assert file.metadata is None
    assert not room.said


@pytest.mark.parametrize(
    "lie", [{"sha256": "0" * 64}, {"size": 5}, {"size": None, "sha256": "0" * 64}], ids=repr
)
async def test_other_bytes_than_listed_are_neither_completed_nor_kept(
    room: Room, lie: dict[str, object]
) -> None:
    with pytest.raises(BadUpstream):
        await room.pull(listed(room, DIST.body, **lie))
    assert await room.saved() == []
    assert room.blobs.kept == {}


async def test_another_digest_than_sha256_is_checked_too(room: Room) -> None:
    file = listed(room, DIST.body, sha256=None)
    wrong, right = "0" * 32, hashlib.md5(DIST.body).hexdigest()

    def with_md5(digest: str) -> File:
        return replace(file, source=replace(file.source, digest=f"md5={digest}"))

    with pytest.raises(BadUpstream):
        await room.pull(with_md5(wrong))
    assert await room.pull(with_md5(right)) == DIST.body
    assert len(await room.saved()) == 1


async def test_a_file_that_is_gone_is_told_and_may_be_asked_for_again(room: Room) -> None:
    file = listed(room, DIST.body)
    body = room.remote.files.pop(file.source.url or "")
    with pytest.raises(Problem) as refused:
        await room.pull(file)
    assert refused.value.status == 404
    room.remote.files[file.source.url or ""] = body
    assert await room.pull(file) == body
