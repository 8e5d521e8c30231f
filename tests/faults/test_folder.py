"""Data folders that are not to be worked on, and two servers on one."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sqlite3
from pathlib import Path

import pytest

from support.dists import wheel
from support.serving import Bonded, serving, upload
from support.uploading import clean

LINES = ["feed create other", "serve --port 0", "check"]


def contents(folder: Path) -> dict[str, str]:
    """Every file and its hash; SQLite's own side files come and go."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    }


def sentence(bonded: Bonded, line: str, code: int = 1) -> str:
    """What is said of the folder; nothing in it may change."""
    before = contents(bonded.data)
    done = bonded.run(*line.split(), code=code)
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("error: ")
    assert "hint: " in done.stderr
    assert contents(bonded.data) == before
    return done.stderr


@pytest.mark.parametrize("line", LINES)
def test_a_folder_of_a_newer_version_is_left_alone(bonded: Bonded, line: str) -> None:
    bonded.run("feed", "create", "team")
    with sqlite3.connect(bonded.data / "catalog.db") as catalog:
        catalog.execute("UPDATE alembic_version SET version_num = '9999'")
    catalog.close()
    said = sentence(bonded, line)
    assert "newer version" in said
    assert "9999" in said


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("body", [b"hello\n", b"SQLite format 3\x00" * 99])
def test_a_catalog_that_is_no_database_is_left_alone(
    bonded: Bonded, line: str, body: bytes
) -> None:
    bonded.run("feed", "create", "team")
    (bonded.data / "catalog.db").write_bytes(body)
    assert "damaged" in sentence(bonded, line)


def test_a_catalog_that_is_damaged_within(bonded: Bonded, tmp_path: Path) -> None:
    bonded.run("feed", "create", "team")
    path = bonded.data / "catalog.db"
    body = bytearray(path.read_bytes())
    body[4096:] = bytes(b ^ 0xA5 for b in body[4096:])
    path.write_bytes(body)
    assert "damaged" in sentence(bonded, "feed list")


def test_an_empty_catalog_is_a_new_one(bonded: Bonded) -> None:
    bonded.data.mkdir()
    (bonded.data / "catalog.db").touch()
    bonded.run("feed", "create", "team")
    assert [f["name"] for f in bonded.json("feed", "list")] == ["team"]


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("below", ["", "sub/folder"])
def test_a_folder_that_is_a_file(tmp_path: Path, line: str, below: str) -> None:
    (tmp_path / "file").write_text("mine")
    done = Bonded(tmp_path / "file" / below).run(*line.split(), code=2)
    assert "cannot be the data folder" in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "file").read_text() == "mine"


def test_a_second_server_is_refused(bonded: Bonded) -> None:
    bonded.run("feed", "create", "team")
    with serving(bonded) as server:
        said = bonded.run("serve", "--port", "0", code=1).stderr
        assert f"process {server.process.pid}" in said
        assert f"port {server.port}" in said
        # The first one does not mind, and commands work beside it.
        token, dist = bonded.token("team"), wheel("acme")
        assert upload(server, "/team/legacy/", dist.filename, dist.body, token).status == 200
    with serving(bonded) as again:
        assert again.get("/healthz").status == 200


def test_the_lock_of_a_server_that_was_killed_is_no_obstacle(bonded: Bonded) -> None:
    bonded.run("feed", "create", "team")
    with serving(bonded) as server:
        pid = server.process.pid
        server.kill()
    assert json.loads((bonded.data / "serve.lock").read_text())["pid"] == pid
    with serving(bonded) as again:
        assert again.get("/readyz").status == 200
        assert "interrupted" in again.log.read_text()
    with serving(bonded) as third:
        assert "interrupted" not in third.log.read_text()
    assert clean(bonded) == 0


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_server_that_is_stopped_ends_in_good_order(bonded: Bonded, how: signal.Signals) -> None:
    bonded.run("feed", "create", "team")
    with serving(bonded) as server:
        os.kill(server.process.pid, how)
        assert server.process.wait(20) == 0
    assert (bonded.data / "serve.lock").read_text() == ""
