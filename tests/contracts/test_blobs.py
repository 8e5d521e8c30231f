"""What every BlobStore does, and every Spool that fills it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bonded.blobs.local import LocalBlobs
from bonded.blobs.spool import DiskSpool
from bonded.model.problems import NotFound
from bonded.ports import Artifact, BlobStore, Spool, Spooled
from bonded.testing import MemoryBlobs, MemorySpool

BODY = bytes(range(256)) * 3000
KEY = hashlib.sha256(BODY).hexdigest()
Pair = tuple[BlobStore, Spool]


def local(folder: Path) -> Iterator[Pair]:
    spool = DiskSpool(folder / "spool")
    yield LocalBlobs(folder / "blobs"), spool
    spool.close()


def memory(_folder: Path) -> Iterator[Pair]:
    yield MemoryBlobs(), MemorySpool()


@pytest.fixture(params=[local, memory], ids=lambda f: f.__name__)
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    """Each store with the spool that belongs to it."""
    make: Callable[[Path], Iterator[Pair]] = request.param
    yield from make(tmp_path)


def received(spool: Spool, body: bytes = BODY) -> Spooled:
    spooled = spool.new()
    for at in range(0, len(body), 100_000):
        spooled.write(body[at : at + 100_000])
    return spooled


async def kept(pair: Pair, body: bytes = BODY) -> str:
    store, spool = pair
    spooled = received(spool, body)
    await store.put(spooled.sha256(), spooled)
    spooled.close()
    return hashlib.sha256(body).hexdigest()


async def read(artifact: Artifact, *part: int) -> bytes:
    return b"".join([piece async for piece in artifact.read(*part)])


async def test_what_was_put_is_there(pair: Pair) -> None:
    store, _ = pair
    assert not store.there(KEY)
    assert await kept(pair) == KEY
    assert store.there(KEY)
    assert list(store.keys()) == [KEY]
    artifact = store.open(KEY)
    assert artifact.size == len(BODY)
    assert await read(artifact) == BODY


@pytest.mark.parametrize(
    "part", [(0,), (0, 1), (5, 5), (100, 300_000), (len(BODY) - 1,), (0, 10**9), (10**9,)]
)
async def test_parts(pair: Pair, part: tuple[int, ...]) -> None:
    store, _ = pair
    await kept(pair)
    assert (
        await read(store.open(KEY), *part)
        == BODY[slice(*part) if len(part) > 1 else slice(part[0], None)]
    )


async def test_put_is_idempotent(pair: Pair) -> None:
    store, _ = pair
    await kept(pair)
    await kept(pair)
    assert list(store.keys()) == [KEY]
    assert await read(store.open(KEY)) == BODY


async def test_the_same_bytes_put_at_once(pair: Pair) -> None:
    store, _ = pair
    assert set(await asyncio.gather(*(kept(pair) for _ in range(8)))) == {KEY}
    assert list(store.keys()) == [KEY]


async def test_empty_bytes(pair: Pair) -> None:
    store, _ = pair
    key = await kept(pair, b"")
    assert store.open(key).size == 0
    assert await read(store.open(key)) == b""


async def test_deleted_is_gone_and_may_be_deleted_again(pair: Pair) -> None:
    store, _ = pair
    await kept(pair)
    store.delete(KEY)
    store.delete(KEY)
    assert not store.there(KEY)
    assert list(store.keys()) == []
    with pytest.raises(NotFound):
        store.open(KEY)


async def test_spooled_bytes_can_be_put_again_after_a_sweep(pair: Pair) -> None:
    store, spool = pair
    spooled = received(spool)
    await store.put(KEY, spooled)
    store.delete(KEY)
    await store.put(KEY, spooled)
    spooled.close()
    assert await read(store.open(KEY)) == BODY


async def test_a_reader_that_leaves_early_does_no_harm(pair: Pair) -> None:
    store, _ = pair
    await kept(pair)
    pieces = store.open(KEY).read()
    assert await anext(pieces)
    await pieces.aclose()  # type: ignore[attr-defined]
    assert await read(store.open(KEY)) == BODY


def test_spooled_counts_hashes_and_can_be_read(pair: Pair) -> None:
    _, spool = pair
    spooled = spool.new()
    assert (spooled.size, spooled.sha256()) == (0, hashlib.sha256(b"").hexdigest())
    spooled.write(b"abc")
    spooled.write(memoryview(b"def"))  # type: ignore[arg-type]
    assert spooled.size == 6
    assert spooled.sha256() == hashlib.sha256(b"abcdef").hexdigest()
    assert spooled.path.read_bytes() == b"abcdef"
    spooled.close()
    assert not spooled.path.exists()
    spooled.close()


def test_spooled_files_are_each_their_own(pair: Pair) -> None:
    _, spool = pair
    one, other = spool.new(), spool.new()
    assert one.path != other.path
    one.write(b"1")
    assert other.size == 0
    one.close()
    other.write(b"2")
    assert other.path.read_bytes() == b"2"
    other.close()


# what only files can do


async def test_a_blob_survives_its_spooled_file_and_strays_are_found(tmp_path: Path) -> None:
    spool, store = DiskSpool(tmp_path / "spool"), LocalBlobs(tmp_path / "blobs")
    await kept((store, spool))
    assert store.path(KEY).read_bytes() == BODY
    assert list((tmp_path / "spool").iterdir()) == []
    stray = tmp_path / "blobs" / KEY[:2] / "note.txt"
    stray.write_text("x")
    (tmp_path / "blobs" / "README").write_text("x")
    assert set(store.strays()) == {stray, tmp_path / "blobs" / "README"}
    assert list(store.keys()) == [KEY]
    spool.close()


def test_what_dead_processes_left_is_swept_and_what_lives_is_not(tmp_path: Path) -> None:
    dead, alive = DiskSpool(tmp_path / "spool"), DiskSpool(tmp_path / "spool")
    left = dead.new()
    left.write(b"half")
    assert alive.sweep() == 0
    assert left.path.exists()
    dead.close()  # as the end of a process does
    assert alive.sweep() == 1
    assert not left.path.exists()
    alive.close()
