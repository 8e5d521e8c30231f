"""Who may do what, on every route."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.dists import wheel
from support.serving import Bonded, Server, basic, form, serving, upload

WHEEL = wheel("acme-core")
PAGE, FILE = "/team/simple/acme-core/", f"/team/files/acme-core/{WHEEL.filename}"
READS = (PAGE, "/team/simple/", FILE, FILE + ".metadata")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Bonded, Server]]:
    """A server with a private feed `team`, a private feed `other` and a public feed `open`."""
    bonded = Bonded(tmp_path_factory.mktemp("tokens") / "data")
    bonded.run("feed", "create", "team")
    bonded.run("feed", "create", "other")
    bonded.run("feed", "create", "open", "--public")
    path = WHEEL.write(bonded.data.parent)
    bonded.run("upload", "--feed", "team", path)
    bonded.run("upload", "--feed", "open", path)
    with serving(bonded) as server:
        yield bonded, server


@pytest.mark.parametrize("path", READS)
def test_reading_needs_a_token_for_the_feed(place: tuple[Bonded, Server], path: str) -> None:
    bonded, server = place
    anonymous = server.get(path)
    assert anonymous.status == 401
    assert anonymous.headers["www-authenticate"].startswith("Basic ")
    assert anonymous.headers["cache-control"] == "no-store"
    assert server.get(path, "wrong").status == 401
    assert server.get(path, bonded.token("other")).status == 403
    assert server.get(path, bonded.token("team", scope="read")).status == 200
    assert server.request("HEAD", path).status == 401


def test_expired_tokens_say_so(place: tuple[Bonded, Server]) -> None:
    import time

    bonded, server = place
    token = bonded.token("team", expires="1s")
    time.sleep(1.1)
    reply = server.get(PAGE, token)
    assert reply.status == 401
    assert "expired" in reply.problem["detail"]


def test_a_token_comes_as_password_username_or_bearer(place: tuple[Bonded, Server]) -> None:
    bonded, server = place
    token = bonded.token("team", scope="read")
    for header in (
        basic(token, "anyone"),
        basic(token, ""),
        basic("", token),
        f"Bearer {token}",
        f"bearer {token}",
    ):
        assert server.get(PAGE, Authorization=header).status == 200, header
    for header in ("Basic !!!", "Basic", "Digest x", f"Basic {token}", "Bearer "):
        assert server.get(PAGE, Authorization=header).status == 401, header


def test_scopes(place: tuple[Bonded, Server]) -> None:
    bonded, server = place
    body = wheel("acme-scoped").body
    name = "acme_scoped-1.0-py3-none-any.whl"
    assert upload(server, "/team/legacy/", name, body).status == 401
    assert upload(server, "/team/legacy/", name, body, "bnd_wrong").status == 401
    read = upload(server, "/team/legacy/", name, body, bonded.token("team", scope="read"))
    assert (read.status, read.problem["code"]) == (403, "scope-too-narrow")
    foreign = upload(server, "/team/legacy/", name, body, bonded.token("other", scope="manage"))
    assert (foreign.status, foreign.problem["code"]) == (403, "foreign-feed")
    assert upload(server, "/team/legacy/", name, body, bonded.token("team")).status == 200
    manage = bonded.token("team", scope="manage")
    assert upload(server, "/team/legacy", name, body, manage).status == 200


def test_public_feeds_are_read_without_a_token_and_written_with_one(
    place: tuple[Bonded, Server],
) -> None:
    bonded, server = place
    path = PAGE.replace("team", "open")
    reply = server.get(path)
    assert reply.status == 200
    assert reply.headers["cache-control"].startswith("public")
    assert server.get(path, "wrong").status == 401
    assert server.get(path, bonded.token("team", scope="read")).status == 200
    body, headers = form(WHEEL.filename, WHEEL.body)
    assert server.request("POST", "/open/legacy/", body=body, headers=headers).status == 401
    token = bonded.token("team")
    refused = server.request("POST", "/open/legacy/", token=token, body=body, headers=headers)
    assert refused.status == 403


def test_unknown_feeds_are_told_to_those_with_a_token_only(place: tuple[Bonded, Server]) -> None:
    bonded, server = place
    token = bonded.token("team", scope="read")
    for path in ("/nope/simple/", "/nope/simple/x/", "/nope/files/x/x-1.0-py3-none-any.whl"):
        assert server.get(path).status == 401
        assert server.get(path, token).status == 404
    assert upload(server, "/nope/legacy/", WHEEL.filename, WHEEL.body).status == 401
    assert upload(server, "/nope/legacy/", WHEEL.filename, WHEEL.body, token).status == 404


def test_what_is_absent_is_404_for_those_who_may_know(place: tuple[Bonded, Server]) -> None:
    bonded, server = place
    token = bonded.token("team", scope="read")
    for path in ("/team/simple/absent/", "/team/files/acme-core/acme_core-9-py3-none-any.whl"):
        assert server.get(path).status == 401
        assert server.get(path, token).status == 404


def test_no_secret_is_kept_or_logged(place: tuple[Bonded, Server]) -> None:
    bonded, server = place
    token = bonded.token("team", scope="read", label="ci")
    assert server.get(PAGE + f"?token={token}", token).status == 200
    for path in (*bonded.data.rglob("*"), server.log):
        if path.is_file():
            assert token.encode() not in path.read_bytes(), path
    assert token not in bonded.run("token", "list").stdout
    assert token not in bonded.run("audit", "list", "--json").stdout


def test_revoking_by_number_label_and_text(place: tuple[Bonded, Server]) -> None:
    bonded, server = place
    for how in ("number", "label", "text"):
        token = bonded.token("team", scope="read", label=f"by-{how}")
        row = next(t for t in bonded.json("token", "list") if t["label"] == f"by-{how}")
        assert server.get(PAGE, token).status == 200
        bonded.run("token", "revoke", {"number": row["id"], "label": row["label"]}.get(how, token))
        reply = server.get(PAGE, token)
        assert (reply.status, reply.problem["code"]) == (401, "revoked-token")
    bonded.run("token", "revoke", "nobody", code=1)


def test_bad_options(bonded: Bonded) -> None:
    bonded.run("feed", "create", "team")
    assert "scope" in bonded.run("token", "create", "--feed", "team", "--scope", "x", code=2).stderr
    assert (
        "time" in bonded.run("token", "create", "--feed", "team", "--expires", "x", code=2).stderr
    )
    bonded.run("token", "create", "--feed", "nope", code=1)
    for name in ("Team", "a_b", "-a", "a" * 64, "simple", "healthz", ""):
        bonded.run("feed", "create", name, code=2)
    bonded.run("feed", "create", "a" * 63)
    assert "already" in bonded.run("feed", "create", "team", code=1).stderr


def test_the_token_is_alone_on_its_line(bonded: Bonded, tmp_path: Path) -> None:
    bonded.run("feed", "create", "team")
    out = bonded.run("token", "create", "--feed", "team", "--label", "ci", "--expires", "never")
    assert out.stdout.startswith("bnd_")
    assert len(out.stdout.splitlines()) == 1
    assert out.stdout.strip() not in out.stderr
