"""Several workers on one machine: what one has answered, all know."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from support.dists import wheel
from support.serving import Bonded, Server, basic, children, serving, upload
from support.upstream import Upstream

#: Connections a check is made over: with four workers, the odds that one is never met are nil.
MANY = 48


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Bonded, Server]]:
    bonded = Bonded(tmp_path_factory.mktemp("workers") / "data")
    bonded.run("feed", "create", "team")
    with serving(bonded, "--workers", "4") as server:
        yield bonded, server


def statuses(server: Server, path: str, token: str | None) -> set[int]:
    with ThreadPoolExecutor(8) as pool:
        return {r.status for r in pool.map(lambda _: server.get(path, token), range(MANY))}


def test_there_are_four(place: tuple[Bonded, Server]) -> None:
    _, server = place
    commands = [Path(f"/proc/{c}/cmdline").read_text() for c in children(server.process.pid)]
    assert len([c for c in commands if "spawn_main" in c]) == 4


def test_an_upload_is_seen_by_each_worker_at_once(place: tuple[Bonded, Server]) -> None:
    bonded, server = place
    token = bonded.token("team")
    for number in range(1, 8):
        dist = wheel("seen", f"{number}.0")
        assert upload(server, "/team/legacy/", dist.filename, dist.body, token).status == 200
        with ThreadPoolExecutor(8) as pool:
            pages = pool.map(lambda _: server.page("/team/simple/seen/", token), range(MANY // 2))
            assert all(f"{number}.0" in page["versions"] for page in pages)


def test_a_revoked_token_fails_on_the_next_request_of_each_worker(
    place: tuple[Bonded, Server],
) -> None:
    bonded, server = place
    token = bonded.token("team", label="short")
    dist = wheel("held")
    assert upload(server, "/team/legacy/", dist.filename, dist.body, token).status == 200
    paths = ("/team/simple/held/", f"/team/files/held/{dist.filename}")
    assert [statuses(server, path, token) for path in paths] == [{200}, {200}]
    bonded.run("token", "revoke", "short")
    assert [statuses(server, path, token) for path in paths] == [{401}, {401}]


def test_what_the_command_line_changes_holds_at_once(place: tuple[Bonded, Server]) -> None:
    bonded, server = place
    token = bonded.token("team")
    dist = wheel("cli-made")
    path, page = dist.write(bonded.data.parent), "/team/simple/cli-made/"
    assert statuses(server, page, token) == {404}
    bonded.run("upload", "--feed", "team", path)
    assert statuses(server, page, token) == {200}
    bonded.run("yank", "--feed", "team", "cli-made==1.0", "--reason", "no good")
    assert server.page(page, token)["files"][0]["yanked"] == "no good"
    bonded.run("unyank", "--feed", "team", "cli-made==1.0")
    assert server.page(page, token)["files"][0]["yanked"] is False
    bonded.run("project", "status", "--feed", "team", "cli-made", "quarantined")
    file = f"/team/files/cli-made/{dist.filename}"
    assert statuses(server, file, token) == {403}
    assert server.page(page, token)["project-status"] == {"status": "quarantined"}
    bonded.run("project", "status", "--feed", "team", "cli-made", "active")
    assert statuses(server, file, token) == {200}
    bonded.run("delete", "--feed", "team", dist.filename)
    assert statuses(server, file, token) == {404}
    assert statuses(server, page, None) == {401}
    bonded.run("feed", "create", "fresh", "--public")
    assert statuses(server, "/fresh/simple/", None) == {200}
    bonded.run("feed", "set", "fresh", "--private")
    assert statuses(server, "/fresh/simple/", None) == {401}
    bonded.run("feed", "delete", "fresh")
    assert statuses(server, "/fresh/simple/", token) == {404}


def test_uploads_through_all_workers_at_once(place: tuple[Bonded, Server]) -> None:
    bonded, server = place
    token = bonded.token("team")
    dists = [wheel("many", f"1.{n}") for n in range(40)]

    def send(number: int) -> int:
        dist = dists[number % len(dists)]
        return upload(server, "/team/legacy/", dist.filename, dist.body, token).status

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(send, range(80))) == {200}
    assert len(server.page("/team/simple/many/", token)["versions"]) == 40
    bonded.run("check")


def test_a_second_server_is_refused_by_name(place: tuple[Bonded, Server]) -> None:
    bonded, server = place
    done = bonded.run("serve", "--port", "0", code=1)
    assert str(server.process.pid) in done.stderr
    assert str(server.port) in done.stderr
    assert server.get("/healthz").status == 200


def test_metrics_are_those_of_all_workers(place: tuple[Bonded, Server]) -> None:
    _, server = place
    for _ in range(MANY):
        server.get("/healthz")
    lines = server.get("/metrics").body.decode().splitlines()
    counts = [ln for ln in lines if ln.startswith('bonded_requests_total{route="health"')]
    assert sum(float(ln.split()[-1]) for ln in counts) >= MANY


def test_keep_alive_connections_see_revocations(place: tuple[Bonded, Server]) -> None:
    from http.client import HTTPConnection

    bonded, server = place
    token = bonded.token("team", scope="read", label="kept")
    connections = [HTTPConnection("127.0.0.1", server.port, timeout=20) for _ in range(16)]

    def ask() -> set[int]:
        seen = set()
        for connection in connections:
            headers = {"Authorization": basic(token)}
            connection.request("GET", "/team/simple/", headers=headers)
            response = connection.getresponse()
            response.read()
            seen.add(response.status)
        return seen

    assert ask() == {200}
    bonded.run("token", "revoke", "kept")
    assert ask() == {401}
    for connection in connections:
        connection.close()


def test_pulls_through_several_workers(bonded: Bonded, upstream: Upstream) -> None:
    dist = wheel("pulled", extra={"pulled/data.bin": bytes(range(256)) * 4096}, stored=True)
    upstream.add(dist)
    upstream.files = "gated"
    bonded.run("feed", "create", "team", "--upstream", upstream.url, "--public")
    with serving(bonded, "--workers", "2") as server, ThreadPoolExecutor(8) as pool:
        path = f"/team/files/pulled/{dist.filename}"
        waiting = [pool.submit(server.get, path) for _ in range(8)]
        upstream.gate.set()
        assert all(w.result().body == dist.body for w in waiting)
        assert len(upstream.asked(f"/files/{dist.filename}")) <= 2
    bonded.run("check")
