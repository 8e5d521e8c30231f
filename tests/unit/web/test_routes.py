"""Paths taken apart."""

from __future__ import annotations

import pytest

from bonded.model.problems import NotFound
from bonded.web.routes import Route, parse


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/team/", Route("team", "home", ())),
        ("/team/simple", Route("team", "simple", ())),
        ("/team/simple/", Route("team", "simple", ("",))),
        ("/team/simple/acme", Route("team", "simple", ("acme",))),
        ("/team/simple/acme/", Route("team", "simple", ("acme", ""))),
        ("/team/files/acme/acme-1.whl", Route("team", "files", ("acme", "acme-1.whl"))),
        ("/team/legacy", Route("team", "legacy", ())),
        ("/team/legacy/", Route("team", "legacy", ("",))),
        ("/o/p/_packaging/team/pypi/simple/", Route("team", "simple", ("",))),
        ("/o/_packaging/team/pypi/simple/", Route("team", "simple", ("",))),
        ("/o/_packaging/Team/pypi/simple/acme/", Route("team", "simple", ("acme", ""))),
        ("/o/p/_packaging/team/pypi/upload/", Route("team", "legacy", ("",))),
        ("/o/p/_packaging/team/pypi/upload", Route("team", "legacy", ())),
        ("/o/p/_packaging/team/pypi/files/a/b", Route("team", "files", ("a", "b"))),
    ],
)
def test_routes(path: str, route: Route) -> None:
    assert parse(path) == route


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/team",
        "/_packaging/team/pypi/simple/",
        "/a/b/c/_packaging/team/pypi/simple/",
        "/o/_packaging/team/npm/simple/",
        "/o/_packaging/team/pypi",
        "/o/_packaging/",
        "/o/_packaging",
    ],
)
def test_nowhere(path: str) -> None:
    assert parse(path) is None


@pytest.mark.parametrize(
    "path",
    [
        "/team@release/simple/",
        "/team@release/files/a/b",
        "/o/p/_packaging/team@Release/pypi/simple/",
        "/o/_packaging/team@local/pypi/upload/",
    ],
)
def test_views_are_404_with_a_sentence(path: str) -> None:
    with pytest.raises(NotFound) as refused:
        parse(path)
    assert refused.value.code == "no-views"
    assert "has no view" in refused.value.message
    assert "team" in (refused.value.hint or "")


@pytest.mark.parametrize("path", ["//simple/", "///", "/team//simple/", "/team/simple//"])
def test_empty_segments_name_nothing(path: str) -> None:
    route = parse(path)
    known = ("simple", "files", "legacy", "home")
    assert route is None or route.feed == "" or route.kind not in known or "" in route.rest
