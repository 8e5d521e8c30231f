"""What a feed does when its upstream misbehaves."""

from __future__ import annotations

import http.client
from contextlib import suppress

import pytest

from support.dists import wheel
from support.serving import Bonded, serving
from support.upstream import Upstream

BIG = wheel("big", extra={"big/data.bin": bytes(range(256)) * 4096}, stored=True)


def test_wrong_bytes_are_cut_off_and_never_kept(bonded: Bonded, upstream: Upstream) -> None:
    upstream.add(BIG)
    bonded.run("feed", "create", "team", "--upstream", upstream.url, "--public")
    with serving(bonded) as server:
        upstream.files = "wrong"
        path = f"/team/files/big/{BIG.filename}"
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            server.get(path)
        upstream.files = "ok"
        assert server.get(path).body == BIG.body
    assert "refuse-upstream-file" in bonded.run("audit", "list").stdout
    bonded.run("check")


def test_truncated_files_are_never_complete(bonded: Bonded, upstream: Upstream) -> None:
    upstream.add(BIG)
    bonded.run("feed", "create", "team", "--upstream", upstream.url, "--public")
    with serving(bonded) as server:
        upstream.files = "truncate"
        path = f"/team/files/big/{BIG.filename}"
        with suppress(http.client.IncompleteRead, ConnectionError):
            assert server.get(path).status == 503
        upstream.files = "ok"
        assert server.get(path).body == BIG.body
