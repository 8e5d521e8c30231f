"""`kill -9` in the middle of uploads and pulls: nothing acknowledged is lost, nothing is left."""

from __future__ import annotations

import errno
import os
import random
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from support.serving import Bonded, Server, children, serving
from support.storm import Storm, noisy, verify
from support.uploading import Place, clean, until
from support.upstream import Upstream

#: Points by the number of workers: twenty in all.
POINTS = {1: 13, 4: 7}
SOAK = int(os.environ.get("SOAK_POINTS", "0"))


def workers(server: Server) -> list[int]:
    """The processes that serve."""
    pids = children(server.process.pid)
    return [pid for pid in pids if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def refuses(server: Server) -> bool:
    """Whether nothing listens there any more."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", server.port)) == errno.ECONNREFUSED


def kill_all(server: Server) -> None:
    server.kill()


def kill_parent(server: Server) -> None:
    """Only the process that was started; its workers must notice."""
    server.process.kill()
    server.process.wait(20)


def prepare(bonded: Bonded, upstream: Upstream, files: int) -> Storm:
    upstream.add(*(noisy("lib", f"{n}.0", 700_000 if n % 3 else 3_000) for n in range(files)))
    upstream.files = "drip"
    bonded.run("feed", "create", "team", "--upstream", upstream.url)
    return Storm(bonded.token("team"), upstream.dists)


def killed(bonded: Bonded, upstream: Upstream, count: int, points: int) -> None:
    """Kill servers at random points, each of which has to make good the one before."""
    seed = int(os.environ.get("SOAK_SEED", time.time_ns() % 10**9))
    print(f"SOAK_SEED={seed} repeats the points")
    chance = random.Random(seed)
    storm = prepare(bonded, upstream, points * 8)
    old: list[int] = []
    before: set[str] = set()
    for _ in range(points):
        with serving(bonded, "--workers", str(count)) as server:
            verify(Place(bonded, server, storm.token), storm, set(storm.taken) - before)
            assert all(gone(pid) for pid in old)
            before, old = set(storm.taken), workers(server)
            kill: Callable[[Server], None] = chance.choice([kill_all, kill_parent])
            with storm.blowing(server):
                time.sleep(chance.uniform(0.02, 0.9))
                kill(server)
    with serving(bonded, "--workers", str(count)) as server:
        verify(Place(bonded, server, storm.token), storm, set(storm.taken) - before)
    assert clean(bonded) == 0
    bonded.run("check")
    assert len(storm.taken) >= points
    assert storm.pulled


@pytest.mark.parametrize("count", [1, 4])
def test_killed_at_random_points(bonded: Bonded, upstream: Upstream, count: int) -> None:
    killed(bonded, upstream, count, POINTS[count])


@pytest.mark.soak
@pytest.mark.skipif(not SOAK, reason="make soak runs it, at as many points as it is told")
@pytest.mark.parametrize("count", [1, 4])
def test_killed_at_very_many_points(
    tmp_path_factory: pytest.TempPathFactory, upstream: Upstream, count: int
) -> None:
    done = 0
    while done < SOAK // 2:
        points = min(POINTS[count], SOAK // 2 - done)
        upstream.dists.clear()
        killed(Bonded(tmp_path_factory.mktemp("soak") / "data"), upstream, count, points)
        done += points


def test_one_worker_of_four_is_killed(bonded: Bonded, upstream: Upstream) -> None:
    storm = prepare(bonded, upstream, 24)
    with serving(bonded, "--workers", "4") as server:
        first = workers(server)
        assert len(first) == 4
        with storm.blowing(server, retry=True):
            assert until(lambda: len(storm.taken) > 4)
            os.kill(first[1], signal.SIGKILL)
            now = len(storm.taken)
            assert until(lambda: len(storm.taken) > now + 8)
        assert until(lambda: len(workers(server)) == 4)
        assert set(first) - set(workers(server)) == {first[1]}
        assert server.process.poll() is None
    with serving(bonded, "--workers", "4") as server:
        verify(Place(bonded, server, storm.token), storm, set(storm.taken))
    assert clean(bonded) == 0


def test_what_a_killed_worker_left_is_removed_at_the_next_start(bonded: Bonded) -> None:
    """The server itself ended in good order, and yet there is something to tidy up."""
    bonded.run("feed", "create", "team")
    with serving(bonded):
        pass
    blob = bonded.data / "blobs" / "ab" / ("ab" * 32)
    blob.parent.mkdir(parents=True)
    for path in (blob, bonded.data / "spool" / "1-0123456789abcdef"):
        path.write_bytes(b"half of")
    with serving(bonded) as server:
        assert "2 leftovers" in server.log.read_text()
        assert not blob.exists()
        assert list((bonded.data / "spool").iterdir()) == []


def test_no_worker_outlives_its_parent(bonded: Bonded) -> None:
    bonded.run("feed", "create", "team", "--public")
    with serving(bonded, "--workers", "2") as server:
        old = workers(server)
        assert len(old) == 2
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: feed\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 200")
            kill_parent(server)
            assert until(lambda: all(gone(pid) for pid in old))
            with suppress(ConnectionResetError):
                while connection.recv(1000):
                    pass
        assert until(lambda: refuses(server))
