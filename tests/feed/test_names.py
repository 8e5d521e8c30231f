"""Names have owners: what is claimed never comes from, nor is asked of, an upstream."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.dists import wheel
from support.serving import Bonded, Server, serving, upload
from support.upstream import Upstream


@pytest.fixture
def server(bonded: Bonded, upstream: Upstream) -> Iterator[Server]:
    """A server with a public feed `team` over the upstream."""
    bonded.run("feed", "create", "team", "--upstream", upstream.url, "--public")
    with serving(bonded) as running:
        yield running


def versions(server: Server, name: str, feed: str = "team") -> list[str]:
    reply = server.get(f"/{feed}/simple/{name}/")
    if reply.status == 404:
        return []
    return list(server.page(f"/{feed}/simple/{name}/")["versions"])


def test_an_upload_claims_its_name_and_asks_nobody(
    bonded: Bonded, server: Server, upstream: Upstream
) -> None:
    upstream.add(wheel("acme-core", "9.0"))
    token = bonded.token("team")
    dist = wheel("acme-core", "1.0")
    assert upload(server, "/team/legacy/", dist.filename, dist.body, token).status == 200
    assert versions(server, "acme-core") == ["1.0"]
    bonded.run("delete", "--feed", "team", "acme-core==1.0")
    gone = server.get("/team/simple/acme-core/")
    assert gone.status == 404
    assert "claim" in gone.problem["detail"]
    path = "/team/files/acme-core/acme_core-9.0-py3-none-any.whl"
    assert server.get(path).status == 404
    assert server.get(path + ".metadata").status == 404
    assert bonded.json("explain", "team", "acme-core")["absent"]
    assert upstream.log == []


@pytest.mark.parametrize("pattern", ["acme-core", "ACME_*", "acme.*", "*-core"])
def test_claimed_names_are_never_asked_upstream(
    bonded: Bonded, server: Server, upstream: Upstream, pattern: str
) -> None:
    upstream.add(wheel("acme-core", "9.0"), wheel("acme", "9.0"))
    bonded.run("claim", "add", "--feed", "team", pattern)
    assert versions(server, "acme-core") == []
    assert upstream.log == []
    assert versions(server, "acme") == ["9.0"]
    bonded.run("claim", "remove", "--feed", "team", pattern)
    assert versions(server, "acme-core") == ["9.0"]


def test_claims_for_all_feeds(bonded: Bonded, server: Server, upstream: Upstream) -> None:
    bonded.run("feed", "create", "other", "--upstream", upstream.url, "--public")
    upstream.add(wheel("acme-core", "9.0"))
    bonded.run("claim", "add", "--all-feeds", "acme-*")
    assert versions(server, "acme-core") == versions(server, "acme-core", "other") == []
    assert upstream.log == []
    rows = bonded.json("claim", "list", "--feed", "other")
    assert [(r["pattern"], r["feed"]) for r in rows] == [("acme-*", None)]
    bonded.run("claim", "add", "acme-x", code=2)
    bonded.run("claim", "add", "--all-feeds", "--feed", "team", "acme-x", code=2)
    bonded.run("claim", "remove", "--feed", "team", "acme-*", code=1)


def test_a_name_from_upstream_is_not_uploaded_over(
    bonded: Bonded, server: Server, upstream: Upstream
) -> None:
    theirs, ours = wheel("thing", "9.0"), wheel("thing", "1.0")
    upstream.add(theirs)
    token = bonded.token("team")
    assert versions(server, "thing") == ["9.0"]
    assert server.get(f"/team/files/thing/{theirs.filename}").status == 200
    refused = upload(server, "/team/legacy/", ours.filename, ours.body, token)
    assert refused.status == 403
    assert "claim add" in refused.problem["hint"]
    assert "--take-over" in refused.problem["hint"]
    path = ours.write(bonded.data.parent)
    assert "--take-over" in bonded.run("upload", "--feed", "team", path, code=1).stderr
    assert "take-over" in bonded.run("claim", "add", "--feed", "team", "thing", code=1).stderr
    bonded.run("claim", "add", "--feed", "team", "--take-over", "thing")
    assert upload(server, "/team/legacy/", ours.filename, ours.body, token).status == 200
    asked = len(upstream.log)
    assert versions(server, "thing") == ["1.0"]
    assert server.get(f"/team/files/thing/{theirs.filename}").status == 404
    assert len(upstream.log) == asked
    lines = {line["filename"]: line for line in bonded.json("explain", "team", "thing")["lines"]}
    assert not lines[theirs.filename]["shown"]
    assert "took the name over" in lines[theirs.filename]["why"]
    assert any(e["action"] == "take-over" for e in bonded.json("audit", "list"))
    bonded.run("check")


def test_a_listed_name_is_taken_though_nothing_was_saved(
    bonded: Bonded, server: Server, upstream: Upstream
) -> None:
    upstream.add(wheel("thing", "9.0"))
    assert versions(server, "thing") == ["9.0"]
    dist = wheel("thing", "1.0")
    reply = upload(server, "/team/legacy/", dist.filename, dist.body, bonded.token("team"))
    assert reply.status == 403


def test_bytes_once_served_under_a_filename_are_not_replaced(
    bonded: Bonded, server: Server, upstream: Upstream
) -> None:
    theirs = wheel("thing", "1.0", extra={"thing/theirs.py": b""})
    ours = wheel("thing", "1.0")
    upstream.add(theirs)
    assert server.get(f"/team/files/thing/{theirs.filename}").status == 200
    bonded.run("claim", "add", "--feed", "team", "--take-over", "thing")
    token = bonded.token("team")
    assert upload(server, "/team/legacy/", ours.filename, ours.body, token).status == 409
    assert upload(server, "/team/legacy/", theirs.filename, theirs.body, token).status == 200
    assert versions(server, "thing") == ["1.0"]
    bonded.run("check")


def test_a_claim_is_not_given_up_while_files_are_hosted(bonded: Bonded, server: Server) -> None:
    bonded.run("upload", "--feed", "team", wheel("acme-core").write(bonded.data.parent))
    bonded.run("claim", "remove", "--feed", "team", "acme-core", code=1)
    bonded.run("delete", "--feed", "team", "acme-core==1.0")
    bonded.run("claim", "remove", "--feed", "team", "acme-core")


def test_a_feed_behind_a_feed_keeps_its_names(
    bonded: Bonded, server: Server, upstream: Upstream
) -> None:
    upstream.add(wheel("acme-core", "9.0"), wheel("public", "2.0"))
    bonded.run("feed", "create", "base")
    bonded.run(
        "feed", "create", "app", "--upstream", "feed:base", "--upstream", upstream.url, "--public"
    )
    bonded.run("claim", "add", "--feed", "base", "acme-*")
    assert versions(server, "acme-core", "app") == []
    assert versions(server, "public", "app") == ["2.0"]
    bonded.run("upload", "--feed", "base", wheel("acme-core", "1.0").write(bonded.data.parent))
    assert versions(server, "acme-core", "app") == ["1.0"]
    bonded.run("claim", "add", "--all-feeds", "acme-*")
    assert versions(server, "acme-core", "app") == ["1.0"]
    assert upstream.asked("acme") == []


def test_feeds_do_not_fall_back_in_circles(bonded: Bonded) -> None:
    bonded.run("feed", "create", "a")
    bonded.run("feed", "create", "b", "--upstream", "feed:a")
    assert "itself" in bonded.run("feed", "set", "a", "--upstream", "feed:b", code=2).stderr
    bonded.run("feed", "set", "a", "--upstream", "feed:a", code=2)
    bonded.run("feed", "create", "c", "--upstream", "feed:nope", code=1)
    bonded.run("feed", "delete", "a", code=1)
    bonded.run("feed", "set", "b", "--no-upstream")
    bonded.run("feed", "delete", "a")


def test_a_name_given_up_is_the_upstreams_again(
    bonded: Bonded, server: Server, upstream: Upstream
) -> None:
    upstream.add(wheel("acme-core", "9.0"))
    assert versions(server, "acme-core") == ["9.0"]
    bonded.run("claim", "add", "--feed", "team", "--take-over", "acme-*")
    assert versions(server, "acme-core") == []
    bonded.run("claim", "remove", "--feed", "team", "acme-*")
    assert versions(server, "acme-core") == ["9.0"]
    dist = wheel("acme-core", "1.0")
    reply = upload(server, "/team/legacy/", dist.filename, dist.body, bonded.token("team"))
    assert (reply.status, reply.problem["code"]) == (403, "name-from-upstream")
