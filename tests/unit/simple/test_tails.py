"""METADATA off ranges of a wheel is what the whole wheel says, in a handful of reads."""

from __future__ import annotations

import io
import zipfile

import pytest

from bonded.model.problems import BadInput
from bonded.operations.describe import MAX_READS
from bonded.simple import tails
from support.dists import Dist, metadata, wheel, zipped


def fetched(dist: Dist, first: int = tails.FIRST_TAIL) -> tuple[bytes, int, int]:
    """METADATA as a reader of ranges finds it; how many reads and bytes that took."""
    sparse, size = tails.Sparse(len(dist.body)), len(dist.body)
    start = max(0, size - first)
    sparse.add(start, dist.body[start:])
    reads, taken = 1, size - start
    while True:
        try:
            return tails.metadata(sparse, dist.filename), reads, taken
        except tails.Needed as needed:
            assert needed.length > 0
            assert needed.start >= 0
            assert needed.start + needed.length <= size
            sparse.add(needed.start, dist.body[needed.start : needed.start + needed.length])
            reads, taken = reads + 1, taken + needed.length
            assert reads < 100


def with_comment(dist: Dist, comment: bytes) -> Dist:
    out = io.BytesIO(dist.body)
    with zipfile.ZipFile(out, "a") as archive:
        archive.comment = comment
    return Dist(dist.filename, out.getvalue(), dist.metadata)


def front_loaded(name: str, payload: bytes) -> Dist:
    """A wheel whose METADATA stands at its beginning, as few tools write it."""
    plain = wheel(name)
    with zipfile.ZipFile(io.BytesIO(plain.body)) as archive:
        files = {
            n: archive.read(n) for n in sorted(archive.namelist(), key=lambda n: "info" not in n)
        }
    files[f"{name}/payload.bin"] = payload
    return Dist(plain.filename, zipped(files, stored=True), plain.metadata)


PAYLOAD = {"acme/data.bin": bytes(range(256)) * 4096}
MANY = {f"acme/m{i:05}.py": b"" for i in range(3000)}
LONG = metadata("acme", "1.0") + b"word " * 40_000
SHAPES = {
    "small": wheel("acme"),
    "stored": wheel("acme", stored=True),
    "large": wheel("acme", extra=PAYLOAD, stored=True),
    "long metadata": wheel("acme", about=LONG, extra=PAYLOAD, stored=True),
    "long metadata, deflated": wheel("acme", about=LONG, extra=PAYLOAD),
    "many members": wheel("acme", extra=MANY),
    "a comment": with_comment(wheel("acme", extra=PAYLOAD, stored=True), b"x" * 60_000),
    "metadata first": front_loaded("acme", PAYLOAD["acme/data.bin"]),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("first", [22, 100, 5000, tails.FIRST_TAIL])
def test_ranges_say_what_the_whole_says(shape: str, first: int) -> None:
    dist = SHAPES[shape]
    found, _, _ = fetched(dist, first)
    assert found == dist.metadata


@pytest.mark.parametrize("shape", SHAPES)
def test_a_few_reads_are_enough_and_never_the_whole(shape: str) -> None:
    dist = SHAPES[shape]
    _, reads, taken = fetched(dist)
    assert reads <= MAX_READS
    if len(dist.body) > 1_000_000:
        assert taken < len(dist.body) // 2


def test_an_ordinary_large_wheel_takes_one_read() -> None:
    assert fetched(SHAPES["large"])[1:] == (1, tails.FIRST_TAIL)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no archive at all",
        zipped({"acme/__init__.py": b""}),
        wheel("acme", drop=("METADATA",)).body,
        zipped({"other-1.0.dist-info/METADATA": b""}),
        zipped({"acme-1.0.dist-info/METADATA": b"", "acme-2.0.dist-info/METADATA": b""}),
        wheel("acme").body[:-30],
    ],
)
def test_what_is_no_wheel_is_refused(body: bytes) -> None:
    with pytest.raises(BadInput, match=r"acme-1\.0-py3-none-any\.whl is refused"):
        fetched(Dist("acme-1.0-py3-none-any.whl", body))


def test_huge_metadata_is_not_read() -> None:
    huge = wheel("acme", about=b"x" * (17 << 20), stored=True)
    with pytest.raises(BadInput, match="too large"):
        fetched(huge)


def test_a_bomb_for_metadata_is_not_unpacked() -> None:
    with pytest.raises(BadInput, match="larger than"):
        fetched(wheel("acme", about=bytes(40 << 20)))


def test_sparse_reads_as_a_file_does() -> None:
    sparse = tails.Sparse(10)
    sparse.add(5, b"56789")
    assert sparse.seek(-3, io.SEEK_END) == 7
    assert sparse.read(2) == b"78"
    assert sparse.tell() == 9
    assert sparse.read() == b"9"
    assert sparse.read(5) == b""
    assert sparse.seek(1, io.SEEK_SET) == 1
    assert sparse.seek(4, io.SEEK_CUR) == 5
    with pytest.raises(ValueError, match="negative"):
        sparse.seek(-1)
    sparse.seek(4)
    with pytest.raises(tails.Needed) as needed:
        sparse.read(3)
    assert (needed.value.start, needed.value.length) == (4, 3)
