"""The same file from many clients at once, through several workers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from support.dists import Dist, wheel
from support.serving import Bonded, Reply, serving
from support.storm import held, noisy
from support.uploading import Place, clean, hosting, refused, until
from support.upstream import Upstream

CLIENTS = 8


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    yield from hosting(tmp_path_factory.mktemp("at-once"), "--workers", "4")


def together(place: Place, dists: list[Dist]) -> list[Reply]:
    """All uploads, begun in the same moment."""
    start = Barrier(len(dists))

    def send(dist: Dist) -> Reply:
        start.wait(30)
        return place.upload(dist.filename, dist.body)

    with ThreadPoolExecutor(len(dists)) as pool:
        return list(pool.map(send, dists))


@pytest.mark.parametrize("turn", range(5))
@pytest.mark.parametrize("size", [1_000, 3 << 20])
def test_the_same_bytes_are_taken_from_all(place: Place, turn: int, size: int) -> None:
    dist = noisy("same", f"{size}.{turn}", size)
    replies = together(place, [dist] * CLIENTS)
    assert [r.status for r in replies] == [200] * CLIENTS
    assert place.files("same")[dist.filename]["hashes"] == {"sha256": dist.sha256}
    assert place.file(f"/team/files/same/{dist.filename}").body == dist.body
    assert place.spooled == []


@pytest.mark.parametrize("turn", range(5))
@pytest.mark.parametrize("size", [1_000, 3 << 20])
def test_of_different_bytes_one_is_taken(place: Place, turn: int, size: int) -> None:
    version, noise = f"{size}.{turn}", bytes(range(250)) * (size // 250)
    files = [{"noise": noise, "who": bytes([n])} for n in range(CLIENTS)]
    dists = [wheel("other", version, extra=extra, stored=True) for extra in files]
    before = place.blobs
    replies = together(place, dists)
    assert Counter(r.status for r in replies) == {200: 1, 409: CLIENTS - 1}
    (winner,) = (d for d, r in zip(dists, replies, strict=True) if r.status == 200)
    for reply in replies:
        if reply.status != 200:
            assert refused(reply, 409, "file-exists").startswith("File already exists")
    assert place.files("other")[winner.filename]["hashes"] == {"sha256": winner.sha256}
    assert place.file(f"/team/files/other/{winner.filename}").body == winner.body
    # What the others sent is gone again.
    assert place.blobs - before == {winner.sha256}
    assert place.spooled == []


def test_a_name_is_claimed_once(place: Place) -> None:
    dists = [wheel("claimed", f"1.{n}") for n in range(CLIENTS)]
    assert {r.status for r in together(place, dists)} == {200}
    claims = place.bonded.json("claim", "list", "--feed", "team")
    assert [c["pattern"] for c in claims].count("claimed") == 1
    assert set(place.files("claimed")) == {d.filename for d in dists}


def test_the_same_file_is_pulled_by_several_workers(bonded: Bonded, upstream: Upstream) -> None:
    """At most once by each; what the second one has pulled changes nothing."""
    upstream.add(*(noisy("lib", f"{n}.0", 2 << 20) for n in range(4)))
    upstream.files = "drip"
    bonded.run("feed", "create", "team", "--upstream", upstream.url)
    token = bonded.token("team", scope="read")
    with serving(bonded, "--workers", "4") as server, ThreadPoolExecutor(16) as pool:
        wanted = [d for d in upstream.dists for _ in range(8)]
        got = pool.map(lambda d: server.get(f"/team/files/lib/{d.filename}", token), wanted)
        assert all(r.body == d.body for d, r in zip(wanted, got, strict=True))
        saved = {d.filename: (d.sha256, "saved") for d in upstream.dists}
        assert until(lambda: held(bonded.data) == saved)
        assert until(lambda: not list((bonded.data / "spool").iterdir()))
        for dist in upstream.dists:
            assert len(upstream.asked(f"/files/{dist.filename}")) <= 4
        assert "refuse" not in bonded.run("audit", "list").stdout
    assert clean(bonded) == 0
