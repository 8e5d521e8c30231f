"""Archives that somebody has tampered with are refused in a sentence, and nothing worse."""

from __future__ import annotations

import io
import zipfile

from hypothesis import given
from hypothesis import strategies as st

from bonded.model.problems import BadInput
from bonded.simple import archives, tails
from support.dists import Dist, metadata, sdist, tarred, wheel, zipped


def compressed(method: int) -> Dist:
    plain, out = wheel("acme"), io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(plain.body)) as old,
        zipfile.ZipFile(out, "w", method) as new,
    ):
        for member in old.infolist():
            new.writestr(zipfile.ZipInfo(member.filename), old.read(member), method)
    return Dist(plain.filename, out.getvalue(), plain.metadata)


PKG_INFO = {"acme-1.0/PKG-INFO": metadata("acme", "1.0"), "acme-1.0/a.py": b"a" * 500}
GOOD = [
    wheel("acme", extra={"acme/data": bytes(200)}),
    wheel("acme", stored=True),
    compressed(zipfile.ZIP_LZMA),
    compressed(zipfile.ZIP_BZIP2),
    sdist("acme", extra={"acme-1.0/a.py": b"a" * 500}),
    Dist("acme-1.0.zip", zipped(PKG_INFO)),
]
MUTATIONS = st.lists(
    st.tuples(st.integers(0), st.integers(0, 8), st.binary(max_size=8)), min_size=1, max_size=4
)


def mutated(body: bytes, mutations: list[tuple[int, int, bytes]]) -> bytes:
    for at, length, put in mutations:
        place = at % (len(body) + 1)
        body = body[:place] + put + body[place + length :]
    return body


def inspected(dist: Dist, body: bytes) -> archives.Described | None:
    try:
        return archives.inspect(io.BytesIO(body), dist.filename, len(body))
    except BadInput as problem:
        assert dist.filename in problem.message
        return None


def test_these_are_good_as_they_are() -> None:
    for dist in GOOD:
        described = inspected(dist, dist.body)
        assert described is not None
        assert (described.name, str(described.version)) == ("acme", "1.0")


@given(st.sampled_from(GOOD), MUTATIONS)
def test_mutated_archives(dist: Dist, mutations: list[tuple[int, int, bytes]]) -> None:
    described = inspected(dist, mutated(dist.body, mutations))
    assert described is None or (described.name, str(described.version)) == ("acme", "1.0")


@given(st.sampled_from(GOOD), st.integers(0), st.integers(1, 40), st.binary(min_size=1, max_size=1))
def test_overwritten_stretches(dist: Dist, at: int, length: int, byte: bytes) -> None:
    place = at % len(dist.body)
    inspected(dist, dist.body[:place] + byte * length + dist.body[place + length :])


@given(st.sampled_from(GOOD), st.integers(0))
def test_archives_cut_short(dist: Dist, at: int) -> None:
    body = dist.body[: at % len(dist.body)]
    if not dist.filename.endswith(".gz"):
        # A ZIP archive's directory stands at its end.
        assert inspected(dist, body) is None
    else:
        inspected(dist, body)


@given(st.sampled_from(GOOD), st.binary(max_size=400))
def test_any_bytes(dist: Dist, body: bytes) -> None:
    assert inspected(dist, body) is None


@given(st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
def test_any_metadata(about: bytes) -> None:
    """With the right name in front, so that the rest is reached; and without it."""
    head = metadata("acme", "1.0").partition(b"\n\n")[0]
    for body in (about, head + b"\n" + about, head + b"\n\n" + about):
        inspected(GOOD[0], wheel("acme", about=body).body)
        inspected(GOOD[4], tarred({"acme-1.0/PKG-INFO": body}))
        archives.requires_python(archives.parse_metadata(body))


@given(st.text(max_size=30))
def test_any_member_name(name: str) -> None:
    try:
        body = zipped({**PKG_INFO, name: b""})
    except (ValueError, UnicodeEncodeError):
        return
    inspected(GOOD[5], body)


def from_ranges(dist: Dist, body: bytes, first: int) -> bytes | None:
    """METADATA as read off ranges; None where it is refused."""
    sparse = tails.Sparse(len(body))
    start = max(0, len(body) - first)
    sparse.add(start, body[start:])
    for _ in range(200):
        try:
            return tails.metadata(sparse, dist.filename)
        except tails.Needed as needed:
            assert needed.length > 0
            sparse.add(needed.start, body[needed.start : needed.start + needed.length])
        except BadInput:
            return None
    raise AssertionError("it never has enough")


@given(
    st.sampled_from([8, 0, 14]),
    st.integers(0, 3000),
    st.integers(0, 30),
    st.integers(0, 2000),
    st.integers(1, 70_000),
)
def test_any_split_of_a_wheel_says_what_zipfile_says(
    method: int, payload: int, members: int, comment: int, first: int
) -> None:
    about = metadata("acme", "1.0") + bytes(i * 7 % 251 for i in range(payload))
    extra = {f"acme/m{i}": bytes([i]) * payload for i in range(members)}
    plain, out = wheel("acme", about=about, extra=extra), io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(plain.body)) as old, zipfile.ZipFile(out, "w") as new:
        for member in old.infolist():
            new.writestr(zipfile.ZipInfo(member.filename), old.read(member), method)
        new.comment = b"c" * comment
    assert from_ranges(plain, out.getvalue(), first) == about


@given(st.sampled_from(GOOD[:4]), MUTATIONS, st.integers(1, 2000))
def test_mutated_wheels_by_ranges(
    dist: Dist, mutations: list[tuple[int, int, bytes]], first: int
) -> None:
    from_ranges(dist, mutated(dist.body, mutations), first)
