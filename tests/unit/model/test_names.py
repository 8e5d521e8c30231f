"""Names of feeds and projects, patterns, and what a filename says."""

from __future__ import annotations

import pytest
from packaging.utils import NormalizedName
from packaging.version import Version

from bonded.model.names import RESERVED, Pattern, distribution, feed_name, project_name
from bonded.model.problems import BadInput


@pytest.mark.parametrize("text", ["a", "0", "team", "team-1", "a-", "x" * 63, "0a--b"])
def test_feed_names(text: str) -> None:
    assert feed_name(text) == text


@pytest.mark.parametrize(
    "text", ["", "-a", "Team", "team_1", "team.1", "x" * 64, "tëam", "a/b", "a\n", "team@view", "٣"]
)
def test_no_feed_names(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        feed_name(text)
    assert refused.value.code == "bad-feed-name"
    assert refused.value.hint


@pytest.mark.parametrize("text", ["simple", "files", "legacy", "metrics", "healthz", "api"])
def test_reserved_feed_names(text: str) -> None:
    assert text in RESERVED
    with pytest.raises(BadInput) as refused:
        feed_name(text)
    assert refused.value.code == "reserved-feed-name"
    assert f"/{text}" in refused.value.message


def test_default_is_no_feed_since_it_is_an_upstream() -> None:
    with pytest.raises(BadInput):
        feed_name("default")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Acme_Core", "acme-core"),
        ("acme.core", "acme-core"),
        ("acme-_.core", "acme-core"),
        ("A", "a"),
        ("zope.interface", "zope-interface"),
    ],
)
def test_project_names_are_normalised(text: str, name: str) -> None:
    assert project_name(text) == name


@pytest.mark.parametrize("text", ["", "-a", "a-", "a b", "a/b", "../a", "ä", "a*", "a\n"])
def test_no_project_names(text: str) -> None:
    with pytest.raises(BadInput, match="cannot be the name of a project"):
        project_name(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Acme_*", "acme-*"), ("ACME.*", "acme-*"), ("acme__core", "acme-core"), ("*.Core", "*-core")],
)
def test_patterns_are_normalised_as_names_are(one: str, other: str) -> None:
    assert Pattern.parse(one) == Pattern.parse(other)


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("acme-*", "acme-core", True),
        ("acme-*", "acme", False),
        ("acme-*", "acmecore", False),
        ("acme*", "acmecore", True),
        ("*-acme", "my-acme", True),
        ("acme-?", "acme-x", True),
        ("acme-?", "acme-xy", False),
        ("*", "anything", True),
        ("acme-core", "acme-core", True),
        ("acme-core", "acme-core2", False),
        ("acme-*-internal", "acme-a-b-internal", True),
    ],
)
def test_patterns_match(pattern: str, name: str, matches: bool) -> None:
    assert Pattern.parse(pattern).matches(NormalizedName(name)) is matches


@pytest.mark.parametrize(
    "text", ["", "-", "-acme", "acme core", "acme/*", "acme[ab]", "ä*", "acme\n"]
)
def test_no_patterns(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        Pattern.parse(text)
    assert refused.value.code == "bad-pattern"


def test_a_pattern_that_ends_in_a_dash_could_match_no_name() -> None:
    with pytest.raises(BadInput):
        Pattern.parse("acme-")
    with pytest.raises(BadInput):
        Pattern.parse("acme_")


def test_only_wildcards_make_a_pattern_inexact() -> None:
    assert Pattern.parse("acme-core").exact
    assert not Pattern.parse("acme-*").exact
    assert not Pattern.parse("acme-?").exact


@pytest.mark.parametrize(
    ("filename", "name", "version"),
    [
        ("acme_core-1.0-py3-none-any.whl", "acme-core", "1.0"),
        ("Acme.Core-1.0-py3-none-any.whl", "acme-core", "1.0"),
        ("acme-1.0-1-py3-none-any.whl", "acme", "1.0"),
        ("acme-1!2.0-py3-none-any.whl", "acme", "1!2.0"),
        ("acme-1.0+local.1-py3-none-any.whl", "acme", "1.0+local.1"),
        ("acme-1.0+local_1-py3-none-any.whl", "acme", "1.0+local.1"),
        ("acme-1.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", "acme", "1.0"),
        ("acme_core-1.0.tar.gz", "acme-core", "1.0"),
        ("acme-core-1.0.tar.gz", "acme-core", "1.0"),
        ("acme-1.0.zip", "acme", "1.0"),
        ("acme-1.0rc1.tar.gz", "acme", "1.0rc1"),
        ("acme-2024.1.post1.dev3.tar.gz", "acme", "2024.1.post1.dev3"),
    ],
)
def test_distributions(filename: str, name: str, version: str) -> None:
    assert distribution(filename) == (name, Version(version))


@pytest.mark.parametrize(
    "filename",
    [
        "",
        "acme",
        "acme-1.0",
        "acme-1.0.egg",
        "acme-1.0.exe",
        "acme-1.0.tar.bz2",
        "acme-1.0.tgz",
        "acme-1.0-py3-none.whl",
        "acme-one-py3-none-any.whl",
        "acme-1.0-x-py3-none-any.whl",
        "acme__core-1.0-py3-none-any.whl",
        "../acme-1.0.tar.gz",
        "a/acme-1.0.tar.gz",
        "a\\acme-1.0.tar.gz",
        ".acme-1.0.tar.gz",
        "acme-1.0.tar.gz\n",
        "acme-1.0.tar.gz\0",
        "acme 1.0.tar.gz",
        "äcme-1.0.tar.gz",
        "a" * 250 + "-1.0.tar.gz",
        "acme-1.0-py3-none-any.WHL",
    ],
)
def test_no_distributions(filename: str) -> None:
    with pytest.raises(BadInput) as refused:
        distribution(filename)
    assert refused.value.code == "bad-filename"
