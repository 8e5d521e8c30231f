"""What may be an upstream, and that credentials in its URL are references."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from packaging.utils import NormalizedName

from bonded.model.feeds import Claim, UpstreamSpec, is_reference, redacted
from bonded.model.names import FeedName, Pattern
from bonded.model.problems import BadInput


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("default", "default"),
        ("feed:base", "feed:base"),
        ("https://index.example/simple/", "https://index.example/simple/"),
        ("https://index.example/simple", "https://index.example/simple/"),
        ("http://127.0.0.1:8080/simple", "http://127.0.0.1:8080/simple/"),
        ("http://[::1]:8080/simple/", "http://[::1]:8080/simple/"),
        ("https://index.example", "https://index.example/"),
        ("https://env:TOKEN@index.example/simple/", "https://env:TOKEN@index.example/simple/"),
        (
            "https://me:file:%2Frun%2Fsecret@index.example/",
            "https://me:file:%2Frun%2Fsecret@index.example/",
        ),
    ],
)
def test_upstreams(text: str, kept: str) -> None:
    spec = UpstreamSpec.parse(text)
    assert str(spec) == kept
    assert UpstreamSpec.parse(str(spec)) == spec


def test_a_feed_is_named() -> None:
    assert UpstreamSpec.parse("feed:base").feed == "base"
    assert UpstreamSpec.parse("default").feed is None
    assert UpstreamSpec.parse("https://feed:env:X@index.example/").feed is None


@pytest.mark.parametrize(
    "text",
    ["", "pypi", "ftp://index.example/", "file:///tmp/x", "https://", "//index.example/", "feed:",
     "feed:No", "feed:simple", "http://[::1", "http://index.example:port/", "Default"],
)  # fmt: skip
def test_no_upstreams(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        UpstreamSpec.parse(text)
    assert refused.value.hint


@pytest.mark.parametrize(
    "userinfo",
    ["me:hunter2", "hunter2", "hunter2:", "me:env:", ":hunter2", "a:b:hunter2", "@hunter2"],
)
def test_credentials_are_refused_and_never_repeated(userinfo: str) -> None:
    with pytest.raises(BadInput) as refused:
        UpstreamSpec.parse(f"https://{userinfo}@index.example/simple/")
    problem = refused.value
    assert problem.code == "credentials-in-url"
    assert "hunter2" not in f"{problem} {problem.message} {problem.hint}"
    assert "index.example" in problem.message


@pytest.mark.parametrize("text", ["ftp://me:hunter2@index.example/", "https://me:hunter2@[bad/"])
def test_credentials_in_what_is_no_url_are_not_repeated_either(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        UpstreamSpec.parse(text)
    assert "hunter2" not in f"{refused.value.message} {refused.value.hint}"


@pytest.mark.parametrize(
    ("userinfo", "reference"),
    [
        ("env:TOKEN", True),
        ("me:env:TOKEN", True),
        ("file:~%2Ftoken", True),
        ("me:file:x", True),
        ("env:", False),
        ("env", False),
        ("me:secret", False),
        ("a:b:env:TOKEN", False),
    ],
)
def test_references(userinfo: str, reference: bool) -> None:
    assert is_reference(userinfo) is reference


def test_redacted_leaves_the_rest_as_it_is() -> None:
    assert redacted("https://me:pw@host:8443/simple/?a=1") == "https://host:8443/simple/?a=1"
    assert redacted("https://host/simple/") == "https://host/simple/"
    assert redacted("https://me:p@w@host/simple/") == "https://host/simple/"


def test_queries_are_dropped_for_a_page_s_address_is_made_of_it() -> None:
    assert str(UpstreamSpec.parse("https://h.example/s?token=x#y")) == "https://h.example/s/"


def test_a_claim_says_what_it_covers() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    claim = Claim(pattern=Pattern("acme-*"), feed=FeedName("team"), why="by me", at=at)
    assert claim.covers(NormalizedName("acme-core"))
    assert not claim.covers(NormalizedName("other"))
    assert str(claim) == "claim acme-* of feed team (by me)"
    everywhere = Claim(pattern=Pattern("x"), feed=None, why="w", at=at)
    assert "all feeds" in str(everywhere)
