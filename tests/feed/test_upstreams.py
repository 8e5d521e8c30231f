"""Falling back to an upstream, and keeping what was pulled."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from support.dists import sdist, wheel
from support.serving import Bonded, Server, basic, request, serving
from support.upstream import Upstream, running

BIG = wheel("big", extra={"big/data.bin": bytes(range(256)) * 8192}, stored=True)
SMALL = wheel("small", requires=("big",), python=">=3.8")


@pytest.fixture
def server(bonded: Bonded, upstream: Upstream) -> Iterator[Server]:
    """A server with a public feed `team` over the upstream, which has BIG and SMALL."""
    upstream.add(BIG, SMALL, sdist("small"))
    bonded.run("feed", "create", "team", "--upstream", upstream.url, "--public")
    with serving(bonded) as here:
        yield here


def files(server: Server, name: str) -> dict[str, dict[str, object]]:
    return {f["filename"]: f for f in server.page(f"/team/simple/{name}/")["files"]}


def test_fields_pass_through(server: Server, upstream: Upstream) -> None:
    upstream.yanked[SMALL.filename] = "broken"
    upstream.status = "deprecated"
    page = server.page("/team/simple/small/")
    assert page["meta"]["api-version"] == "1.4"
    assert page["project-status"] == {"status": "deprecated"}
    file = next(f for f in page["files"] if f["filename"] == SMALL.filename)
    assert file["upload-time"] == upstream.uploaded
    assert file["size"] == len(SMALL.body)
    assert file["hashes"] == {"sha256": SMALL.sha256}
    assert file["yanked"] == "broken"
    assert "sha256" in file["core-metadata"]
    assert file["url"] == f"../../files/small/{SMALL.filename}"


@pytest.mark.parametrize("form", ["json", "html"])
@pytest.mark.parametrize("hashes", [True, False])
def test_every_kind_of_index(server: Server, upstream: Upstream, form: str, hashes: bool) -> None:
    upstream.form, upstream.hashes, upstream.sizes, upstream.metadata = form, hashes, False, False
    page = server.page("/team/simple/small/")
    assert page["meta"]["api-version"] == "1.0"
    before = files(server, "small")[SMALL.filename]
    assert "core-metadata" not in before
    assert server.get(f"/team/files/small/{SMALL.filename}").body == SMALL.body
    after = files(server, "small")[SMALL.filename]
    assert after["url"] == before["url"]
    assert after["hashes"] == {"sha256": SMALL.sha256}
    assert after["size"] == len(SMALL.body)
    assert after["core-metadata"]
    assert server.get(f"/team/files/small/{SMALL.filename}.metadata").body == SMALL.metadata


def test_saved_files_outlive_the_upstream(
    bonded: Bonded, server: Server, upstream: Upstream
) -> None:
    path = f"/team/files/big/{BIG.filename}"
    assert server.get(path).body == BIG.body
    upstream.dists.clear()
    assert list(files(server, "big")) == [BIG.filename]
    upstream.mode = "500"
    assert list(files(server, "big")) == [BIG.filename]
    assert server.get(path).body == BIG.body
    asked = len(upstream.asked("GET /files/"))
    assert asked == 1
    why = bonded.json("explain", "team", "big")["lines"][0]
    assert why["shown"]
    assert why["why"].startswith("saved from ")


def test_stale_pages_are_shown_while_the_upstream_is_down(
    server: Server, upstream: Upstream
) -> None:
    assert list(files(server, "small"))
    for mode in ("500", "401", "html-error", "garbage", "loop"):
        upstream.mode = mode
        assert list(files(server, "small")), mode


@pytest.mark.parametrize("mode", ["500", "401", "403", "html-error", "garbage", "loop"])
def test_an_upstream_that_errors_is_503_and_not_passed_over(
    bonded: Bonded, server: Server, upstream: Upstream, mode: str
) -> None:
    with running(Upstream([wheel("small", "6.6.6")])) as second:
        urls = ("--upstream", upstream.url, "--upstream", second.url)
        bonded.run("feed", "set", "team", *urls)
        upstream.mode = mode
        reply = server.get("/team/simple/small/")
        assert reply.status == 503
        assert "retry-after" in reply.headers
        assert upstream.url in reply.problem["detail"]
        assert second.log == []
        assert server.get(f"/team/files/small/{SMALL.filename}").status == 503


def test_an_upstream_that_is_gone(bonded: Bonded) -> None:
    with running(Upstream([SMALL])) as upstream:
        bonded.run("feed", "create", "team", "--upstream", upstream.url, "--public")
    with serving(bonded) as server:
        assert server.get("/team/simple/small/").status == 503
        reply = bonded.run("explain", "team", "small", code=3)
        assert "cannot be reached" in reply.stderr


def test_the_first_upstream_that_knows_a_name_answers_whole(
    bonded: Bonded, server: Server, upstream: Upstream
) -> None:
    with running(Upstream([wheel("small", "6.6.6"), wheel("rare", "1.0")])) as second:
        bonded.run("feed", "set", "team", "--upstream", upstream.url, "--upstream", second.url)
        assert SMALL.filename in files(server, "small")
        assert "small-6.6.6-py3-none-any.whl" not in files(server, "small")
        assert second.asked("small") == []
        assert list(files(server, "rare")) == ["rare-1.0-py3-none-any.whl"]


def test_absent_names_are_remembered_shortly(server: Server, upstream: Upstream) -> None:
    for _ in range(3):
        assert server.get("/team/simple/absent/").status == 404
    assert len(upstream.asked("absent")) == 1


def test_fresh_pages_are_not_asked_for_again(server: Server, upstream: Upstream) -> None:
    upstream.max_age = 600
    for _ in range(3):
        files(server, "small")
    assert len(upstream.asked("/simple/small/")) == 1


def test_another_hash_for_a_saved_file_is_refused(
    bonded: Bonded, server: Server, upstream: Upstream
) -> None:
    upstream.max_age = 0
    path = f"/team/files/small/{SMALL.filename}"
    assert server.get(path).body == SMALL.body
    other = wheel("small", extra={"small/evil.py": b"pwned"})
    upstream.dists.remove(SMALL)
    upstream.add(other)
    bonded.run("feed", "set", "team", "--upstream", upstream.url + "?", code=0)
    end = time.monotonic() + 30
    while "refuse-upstream-file" not in bonded.run("audit", "list").stdout:
        assert time.monotonic() < end
        assert files(server, "small")[SMALL.filename]["hashes"] == {"sha256": SMALL.sha256}
        time.sleep(0.5)
    assert server.get(path).body == SMALL.body
    lines = bonded.json("explain", "team", "small")["lines"]
    assert any(not ln["shown"] and "other bytes" in ln["why"] for ln in lines)
    assert any(ln["shown"] and ln["filename"] == SMALL.filename for ln in lines)


def test_many_clients_one_fetch(server: Server, upstream: Upstream) -> None:
    upstream.files = "gated"
    with ThreadPoolExecutor(12) as pool:
        path = f"/team/files/big/{BIG.filename}"
        waiting = [pool.submit(server.get, path) for _ in range(12)]
        time.sleep(0.5)
        upstream.gate.set()
        assert all(w.result().body == BIG.body for w in waiting)
    assert len(upstream.asked(f"/files/{BIG.filename}")) == 1


def test_the_first_byte_leaves_before_the_last_arrives(server: Server, upstream: Upstream) -> None:
    import http.client

    upstream.files = "gated"
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", f"/team/files/big/{BIG.filename}")
    response = connection.getresponse()
    first = response.read(1000)
    assert first == BIG.body[:1000]
    assert not upstream.gate.is_set()
    upstream.gate.set()
    assert first + response.read() == BIG.body
    connection.close()


def test_a_pull_goes_on_when_its_client_leaves(
    bonded: Bonded, server: Server, upstream: Upstream
) -> None:
    import http.client

    upstream.files = "gated"
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", f"/team/files/big/{BIG.filename}")
    connection.getresponse().read(10)
    connection.close()
    upstream.gate.set()
    end = time.monotonic() + 20
    while bonded.json("explain", "team", "big")["lines"][0]["by"] != "saved":
        assert time.monotonic() < end
        time.sleep(0.1)
    assert len(upstream.asked(f"/files/{BIG.filename}")) == 1


def test_metadata_is_made_from_a_tail_and_then_advertised(
    server: Server, upstream: Upstream
) -> None:
    upstream.metadata = False
    assert "core-metadata" not in files(server, "big")[BIG.filename]
    reply = server.get(f"/team/files/big/{BIG.filename}.metadata")
    assert reply.body == BIG.metadata
    assert files(server, "big")[BIG.filename]["core-metadata"]
    asked = upstream.asked(f"/files/{BIG.filename}")
    assert asked
    assert all("bytes=" in line for line in asked)


def test_no_ranges_no_metadata_and_no_whole_download(server: Server, upstream: Upstream) -> None:
    upstream.metadata = upstream.ranges = False
    assert server.get(f"/team/files/big/{BIG.filename}.metadata").status == 404
    assert "core-metadata" not in files(server, "big")[BIG.filename]


def test_ranges_before_and_after_saving(server: Server, upstream: Upstream) -> None:
    path = f"/team/files/big/{BIG.filename}"
    for _ in range(2):
        head = server.request("HEAD", path)
        assert head.status == 200
        assert head.headers["content-length"] == str(len(BIG.body))
        assert head.headers["accept-ranges"] == "bytes"
        part = server.get(path, Range="bytes=100-199")
        assert (part.status, part.body) == (206, BIG.body[100:200])
        assert part.headers["content-range"] == f"bytes 100-199/{len(BIG.body)}"
        assert server.get(path, Range="bytes=-50").body == BIG.body[-50:]
        beyond = server.get(path, Range=f"bytes={len(BIG.body)}-")
        assert beyond.status == 416
        assert beyond.headers["content-range"] == f"bytes */{len(BIG.body)}"
        assert server.get(path).body == BIG.body
    assert len([line for line in upstream.asked(BIG.filename) if "bytes=" not in line]) == 1


def test_yank_and_status_follow_the_upstream(server: Server, upstream: Upstream) -> None:
    upstream.max_age = 0
    assert server.get(f"/team/files/small/{SMALL.filename}").status == 200
    assert files(server, "small")[SMALL.filename]["yanked"] is False
    upstream.yanked[SMALL.filename] = "bad"
    end = time.monotonic() + 30
    while files(server, "small")[SMALL.filename]["yanked"] != "bad":
        assert time.monotonic() < end
        time.sleep(0.5)


def test_a_quarantined_upstream_project_offers_nothing(server: Server, upstream: Upstream) -> None:
    upstream.status = "quarantined"
    page = server.page("/team/simple/small/")
    assert page["files"] == []
    assert page["project-status"]["status"] == "quarantined"
    assert server.get(f"/team/files/small/{SMALL.filename}").status == 403


def test_credentials_are_references_and_stay_with_their_origin(bonded: Bonded) -> None:
    with running(Upstream([SMALL], user=("me", "s3cret-value"))) as upstream:
        url = upstream.url.replace("http://", "http://me:env:CORP_PASSWORD@")
        literal = upstream.url.replace("http://", "http://me:s3cret-value@")
        refused = bonded.run("feed", "create", "bad", "--upstream", literal, code=2)
        assert "s3cret-value" not in refused.stderr
        bonded.run("feed", "create", "team", "--upstream", url, "--public")
        bonded.environment["CORP_PASSWORD"] = "s3cret-value"
        with serving(bonded) as server:
            assert SMALL.filename in files(server, "small")
            assert upstream.authorizations[-1] == basic("s3cret-value", "me")
            out = bonded.run("feed", "list").stdout + bonded.run("explain", "team", "small").stdout
            assert "s3cret-value" not in out + server.log.read_text()
            assert server.get(f"/team/files/small/{SMALL.filename}").body == SMALL.body
        for path in bonded.data.rglob("*"):
            assert path.is_dir() or b"s3cret-value" not in path.read_bytes(), path


def test_netrc_serves_upstreams_without_a_reference(bonded: Bonded, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login net password rc-value\n")
    netrc.chmod(0o600)
    bonded.environment |= {"NETRC": str(netrc), "CORP": "me:env-value"}
    with running(Upstream([SMALL])) as upstream:
        bonded.run("feed", "create", "plain", "--upstream", upstream.url, "--public")
        referring = upstream.url.replace("http://", "http://env:CORP@")
        bonded.run("feed", "create", "named", "--upstream", referring, "--public")
        with serving(bonded) as server:
            assert server.get("/plain/simple/small/").status == 200
            assert upstream.authorizations[-1] == basic("rc-value", "net")
            assert server.get("/named/simple/small/").status == 200
            assert upstream.authorizations[-1] == basic("env-value", "me")


def test_the_default_upstream_is_that_of_the_machine(bonded: Bonded, upstream: Upstream) -> None:
    upstream.add(SMALL)
    bonded.environment["PIP_INDEX_URL"] = upstream.url
    bonded.environment["PIP_EXTRA_INDEX_URL"] = "http://127.0.0.1:1/simple/"
    bonded.run("feed", "create", "team", "--upstream", "default", "--public")
    with serving(bonded) as server:
        assert SMALL.filename in files(server, "small")


def test_a_default_upstream_that_leads_back_here_is_told(bonded: Bonded) -> None:
    with running(Upstream()) as taken:
        port = taken.url.split(":")[2].split("/")[0]
    bonded.environment["PIP_INDEX_URL"] = f"http://127.0.0.1:{port}/team/simple/"
    bonded.run("feed", "create", "team", "--upstream", "default", "--public")
    with serving(bonded, "--port", port) as server:
        reply = server.get("/team/simple/small/")
        assert reply.status == 503
        assert server.get("/healthz").status == 200


def test_a_redirecting_upstream_is_followed(bonded: Bonded, upstream: Upstream) -> None:
    upstream.add(SMALL)
    # Its own redirect to the path with a slash is the plainest one there is.
    bonded.run("feed", "create", "team", "--upstream", upstream.url.rstrip("/"), "--public")
    with serving(bonded) as server:
        assert SMALL.filename in files(server, "small")


def test_upstream_that_hangs_gives_stale_pages(server: Server, upstream: Upstream) -> None:
    assert list(files(server, "small"))
    upstream.mode = "hang"
    done: list[object] = []
    thread = threading.Thread(target=lambda: done.append(files(server, "small")))
    thread.start()
    thread.join(45)
    assert done


def test_root_lists_what_the_feed_holds(server: Server) -> None:
    assert server.page("/team/simple/")["projects"] == []
    assert server.get(f"/team/files/small/{SMALL.filename}").status == 200
    assert server.page("/team/simple/")["projects"] == [{"name": "small"}]


def test_names_are_redirected_to_their_normal_form(server: Server) -> None:
    for path, to in (
        ("/team/simple/Small/", "../small/"),
        ("/team/simple/sm__a.ll/?format=x", "../sm-a-ll/?format=x"),
        ("/team/simple/small", "small/"),
        ("/team/simple", "simple/"),
    ):
        reply = request(server.url, "GET", path)
        assert (reply.status, reply.headers.get("location")) == (301, to), path


def test_another_default_index_is_another_upstream(bonded: Bonded, upstream: Upstream) -> None:
    """A command, or a restart, with another configuration must not answer for the server's."""
    upstream.add(wheel("small", "1.0"))
    bonded.run("feed", "create", "team", "--upstream", "default", "--public")
    server_side = Bonded(bonded.data, bonded.environment | {"PIP_INDEX_URL": upstream.url})
    stranger = Upstream([wheel("small", "6.6.6")], max_age=3600)
    with running(stranger) as other, serving(server_side) as server:
        assert server.page("/team/simple/small/")["versions"] == ["1.0"]
        bonded.environment["PIP_INDEX_URL"] = other.url
        said = bonded.json("explain", "team", "small")["lines"]
        assert [line["version"] for line in said] == ["6.6.6"]
        assert server.page("/team/simple/small/")["versions"] == ["1.0"]
