"""A disk that is full, or cannot be written: nothing half-written, nothing lost, a sentence."""

from __future__ import annotations

import hashlib
import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import IncompleteRead
from pathlib import Path

import pytest

from support.dists import Dist, wheel
from support.serving import Bonded, Reply, children, serving
from support.uploading import Place, clean, refused, until
from support.upstream import Upstream

MIB = 1 << 20
SIZE = 20 * MIB


def noisy(name: str, version: str = "1.0", size: int = 5 * MIB) -> Dist:
    noise = hashlib.shake_256(f"{name} {version}".encode()).digest(size)
    return wheel(name, version, extra={"noise": noise}, stored=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    line = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(line, capture_output=True, check=False).returncode:
        pytest.skip("Only root, where mounting is allowed, can make a small disk to fill.")
    try:
        yield folder
    finally:
        # Lazily: a process that looks at the disk just then is no failure of the test.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def placed(data: Path, *options: str) -> Iterator[Place]:
    bonded = Bonded(data)
    bonded.run("feed", "create", "team", *options)
    token = bonded.token("team")
    with serving(bonded) as server:
        yield Place(bonded, server, token)


def fill(disk: Path, leave: int = 0) -> Path:
    """Take the room that is left, but for `leave` bytes."""
    path = disk / "filler"
    handle = os.open(path, os.O_CREAT | os.O_WRONLY)
    try:
        while True:
            os.write(handle, bytes(4096))
    except OSError:
        os.ftruncate(handle, max(0, os.fstat(handle).st_size - leave))
        return path
    finally:
        os.close(handle)


def same(place: Place, dists: list[Dist], project: str) -> None:
    """Exactly these are listed, and they are served."""
    assert set(place.files(project)) == {d.filename for d in dists}
    for dist in dists:
        assert place.file(f"/team/files/{project}/{dist.filename}").body == dist.body


def test_uploads_to_a_disk_that_fills_up(disk: Path) -> None:
    with placed(disk / "data") as place:
        taken, reply = [], Reply(200, {}, b"")
        for number in range(6):
            dist = noisy("acme", f"1.{number}")
            reply = place.upload(dist.filename, dist.body)
            if reply.status != 200:
                break
            taken.append(dist)
        assert len(taken) >= 2
        assert "full" in refused(reply, 507, "disk-full")
        assert place.spooled == []
        assert place.blobs == {d.sha256 for d in taken}
        same(place, taken, "acme")
        place.bonded.run("delete", "--feed", "team", taken[0].filename)
        assert place.upload(dist.filename, dist.body).status == 200
        same(place, [*taken[1:], dist], "acme")
        assert clean(place.bonded) == 0


@pytest.mark.parametrize("leave", [0, 4096, 32768])
def test_a_disk_with_room_for_hardly_anything(disk: Path, leave: int) -> None:
    """The bytes may fit, and the catalog's record of them not."""
    held = wheel("held")
    with placed(disk / "data") as place:
        assert place.upload(held.filename, held.body).status == 200
        filler = fill(disk, leave)
        kept = [held]
        for number in range(40):
            dist = wheel("held", f"2.{number}", extra={"x": os.urandom(1000)})
            reply = place.upload(dist.filename, dist.body)
            if reply.status != 200:
                break
            kept.append(dist)
        refused(reply, 507, "disk-full")
        assert place.spooled == []
        assert place.blobs == {d.sha256 for d in kept}
        assert place.file(f"/team/files/held/{held.filename}").body == held.body
        assert place.server.get("/readyz").status in (200, 503)
        assert "full" in place.bonded.run("feed", "create", "another", code=1).stderr
        filler.unlink()
        same(place, kept, "held")
        assert place.server.get("/readyz").status == 200
        assert place.upload(dist.filename, dist.body).status == 200
        place.bonded.run("feed", "create", "another")
        assert clean(place.bonded) == 0


def pulled(place: Place, dist: Dist) -> bool:
    """Whether the file came whole; else it was refused in a sentence, or cut off."""
    try:
        reply = place.file(f"/team/files/{dist.project}/{dist.filename}")
    except (IncompleteRead, ConnectionError):
        return False
    if reply.status == 200:
        assert reply.body == dist.body
        return True
    refused(reply, 507, "disk-full")
    return False


@pytest.mark.parametrize("room", [0, 3 * MIB])
def test_pulls_to_a_full_disk(disk: Path, upstream: Upstream, room: int) -> None:
    upstream.add(noisy("big"), wheel("small"))
    small, big = upstream.dists[1], upstream.dists[0]
    with placed(disk / "data", "--upstream", upstream.url) as place:
        assert pulled(place, small)
        assert set(place.files("big")) == {big.filename}
        filler = fill(disk, room)
        for _ in range(3):
            pulled(place, big)
        assert until(lambda: not place.spooled)
        assert place.blobs == {small.sha256}
        assert pulled(place, small)
        filler.unlink()
        assert pulled(place, big)
        assert until(lambda: big.sha256 in place.blobs)
        assert clean(place.bonded) == 0


def test_a_limit_on_the_size_of_files_is_a_full_disk_too(tmp_path: Path) -> None:
    with placed(tmp_path / "data") as place:
        for pid in children(place.server.process.pid):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (3 * MIB, 3 * MIB))
        big, small = noisy("big"), wheel("small")
        refused(place.upload(big.filename, big.body), 507, "disk-full")
        assert (place.spooled, place.blobs) == ([], set())
        assert place.upload(small.filename, small.body).status == 200
        same(place, [small], "small")
        assert clean(place.bonded) == 0


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """The folder, which for root must be a disk of its own, cannot be written."""
    if os.geteuid() == 0:
        steps: list[Callable[[], object]] = [
            lambda how=how: subprocess.run(["mount", "-o", f"remount,{how}", folder], check=True)
            for how in ("ro", "rw")
        ]
    else:
        everything = [folder, *folder.rglob("*")]
        steps = [
            lambda bits=bits: [p.chmod(bits | (0o111 if p.is_dir() else 0)) for p in everything]
            for bits in (0o444, 0o644)
        ]
    steps[0]()
    try:
        yield
    finally:
        steps[1]()


@pytest.fixture
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """What `read_only` can close."""
    path: Path = request.getfixturevalue("disk") if os.geteuid() == 0 else tmp_path / "folder"
    path.mkdir(exist_ok=True)
    return path


@pytest.mark.parametrize(
    "line",
    [
        "serve --port 0",
        "feed create other",
        "token create --feed team --scope read",
        "check",
        "upload --feed team {wheel}",
    ],
)
def test_a_folder_that_cannot_be_written(folder: Path, tmp_path: Path, line: str) -> None:
    bonded, held = Bonded(folder / "data"), wheel("acme").write(tmp_path)
    bonded.run("feed", "create", "team")
    bonded.run("upload", "--feed", "team", held)
    with read_only(folder):
        done = bonded.run(*line.format(wheel=held).split(), code=1)
    assert done.stderr.startswith("error: The ")
    assert "cannot be written" in done.stderr
    assert "hint: " in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert clean(bonded) == 0


def test_a_folder_that_cannot_be_made(folder: Path) -> None:
    with read_only(folder):
        done = Bonded(folder / "data").run("feed", "create", "team", code=1)
    assert "cannot be written" in done.stderr
    assert not (folder / "data").exists()
