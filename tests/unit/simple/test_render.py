"""Our pages: what is in them, and that independent parsers and ours read what was written."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pypi_simple import ProjectPage
from simple_repository import model as other
from simple_repository.parser import parse_json_project_page

from bonded.model.files import File, Kind, Project, Standing, Status
from bonded.simple import parse, render
from support.values import a_file, a_project

ORIGIN = parse.From("http://feed.example/team/simple/acme/", "the feed", 7)
NASTY = "no <b>\"bold\"</b> & 'quoted' ünïcode > 1"
FULL = a_project(
    "acme",
    a_file(
        "acme-1.0-py3-none-any.whl",
        kind=Kind.HOSTED,
        uploaded=datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC),
        requires_python=">=3.9,<4",
        metadata="ab" * 32,
    ),
    a_file("acme-1.0.tar.gz", kind=Kind.HOSTED, yanked=NASTY),
    a_file("acme-1.1+local.1-py3-none-any.whl", yanked="", metadata="true"),
    a_file("acme-1!2.0-py3-none-any.whl", size=0),
    status=Status(standing=Standing.DEPRECATED, reason=NASTY),
)


def read_json(project: Project) -> Project:
    body = render.json_page(project)
    return parse.page(body, "application/vnd.pypi.simple.v1+json", project.name, ORIGIN)


def read_html(project: Project) -> Project:
    return parse.page(render.html_page(project), "text/html; charset=utf-8", project.name, ORIGIN)


FIELDS = ("project", "version", "filename", "sha256", "requires_python", "yanked", "metadata")


def said(file: File, *more: str) -> dict[str, object]:
    return {name: getattr(file, name) for name in (*FIELDS, *more)}


def test_json_says_everything_and_is_read_back() -> None:
    read = read_json(FULL)
    whole = [said(f, "size", "uploaded") for f in FULL.files]
    assert [said(f, "size", "uploaded") for f in read.files] == whole
    assert read.status == FULL.status
    assert not read.hidden


def test_html_says_what_html_can_and_is_read_back() -> None:
    read = read_html(FULL)
    assert [said(f) for f in read.files] == [said(f) for f in FULL.files]
    assert read.status == FULL.status
    assert not read.hidden


def test_links_lead_to_the_file_route() -> None:
    for read in (read_json(FULL), read_html(FULL)):
        urls = [f.source.url for f in read.files]
        base = "http://feed.example/team/files/acme/"
        assert urls[0] == base + "acme-1.0-py3-none-any.whl"
        assert urls[2] == base + "acme-1.1%2Blocal.1-py3-none-any.whl"
        assert urls[3] == base + "acme-1!2.0-py3-none-any.whl"


def test_json_fields_are_those_of_the_standards() -> None:
    page = json.loads(render.json_page(FULL))
    assert page["meta"] == {"api-version": "1.4"}
    assert page["name"] == "acme"
    assert page["versions"] == ["1.0", "1.1+local.1", "1!2.0"]
    assert page["project-status"] == {"status": "deprecated", "reason": NASTY}
    wheel, sdist, local, _ = page["files"]
    assert wheel == {
        "filename": "acme-1.0-py3-none-any.whl",
        "url": "../../files/acme/acme-1.0-py3-none-any.whl",
        "hashes": {"sha256": FULL.files[0].sha256},
        "size": 100,
        "upload-time": "2026-01-02T03:04:05.000678Z",
        "requires-python": ">=3.9,<4",
        "core-metadata": {"sha256": "ab" * 32},
        "yanked": False,
    }
    # Not by the old key: pip 22.3 to 23.1 fails at a table under it.
    assert "dist-info-metadata" not in wheel
    assert sdist["yanked"] == NASTY
    assert "core-metadata" not in sdist
    assert "upload-time" not in sdist
    assert local["yanked"] is True
    assert local["core-metadata"] is True


def test_an_active_project_has_no_marker() -> None:
    project = replace(FULL, status=Status())
    assert "project-status" not in json.loads(render.json_page(project))
    assert b"pypi:project-status" not in render.html_page(project)


def test_unknown_sizes_make_it_a_page_of_api_1_0() -> None:
    """PEP 700 makes sizes mandatory from 1.1 on, so none may be promised."""
    files = (a_file("acme-1.tar.gz", size=None), a_file("acme-2.tar.gz"))
    page = json.loads(render.json_page(a_project("acme", *files)))
    assert page["meta"]["api-version"] == "1.0"
    assert "size" not in page["files"][0]
    assert page["files"][1]["size"] == 100


def test_hashes_are_there_even_if_empty() -> None:
    project = a_project("acme", a_file("acme-1.tar.gz", sha256=None))
    assert json.loads(render.json_page(project))["files"][0]["hashes"] == {}
    assert b"#sha256" not in render.html_page(project)


def test_html_escapes_what_upstreams_say() -> None:
    evil = '"><script>alert(1)</script>'
    page = render.html_page(
        a_project(
            "acme",
            a_file("acme-1.tar.gz", requires_python=evil, yanked=evil),
            status=Status(standing=Standing.ARCHIVED, reason=evil),
        )
    )
    assert b"<script" not in page
    assert page.count(b"&lt;script&gt;") == 3


def test_html_is_frozen_at_1_4_with_both_names_for_metadata() -> None:
    page = render.html_page(FULL).decode()
    assert page.startswith("<!DOCTYPE html>")
    assert '<meta name="pypi:repository-version" content="1.4">' in page
    vouched = f'sha256={"ab" * 32}"'
    assert f'data-core-metadata="{vouched}' in page
    assert f'data-dist-info-metadata="{vouched}' in page
    assert 'data-requires-python="&gt;=3.9,&lt;4"' in page
    assert "data-upload-time" not in page


def test_the_last_part_of_the_link_is_the_filename() -> None:
    """PEP 503: and the text of the anchor too."""
    page = render.html_page(a_project("acme", a_file("acme-1.0.tar.gz", sha256="0" * 64)))
    href = "../../files/acme/acme-1.0.tar.gz#sha256=" + "0" * 64
    assert f'<a href="{href}">acme-1.0.tar.gz</a>'.encode() in page


@pytest.mark.parametrize("form", ["json", "html"])
def test_pypi_simple_reads_our_pages(form: str) -> None:
    url = "http://feed.example/team/simple/acme/"
    if form == "json":
        page = ProjectPage.from_json_data(json.loads(render.json_page(FULL)), url)
    else:
        page = ProjectPage.from_html("acme", render.html_page(FULL), url)
    assert [p.filename for p in page.packages] == [f.filename for f in FULL.files]
    assert page.repository_version == "1.4"
    assert page.status == "deprecated"
    assert page.status_reason == NASTY
    wheel, sdist, local, _ = page.packages
    assert wheel.digests == {"sha256": FULL.files[0].sha256}
    assert wheel.requires_python == ">=3.9,<4"
    assert wheel.has_metadata
    assert wheel.metadata_digests == {"sha256": "ab" * 32}
    assert not wheel.is_yanked
    assert (sdist.is_yanked, sdist.yanked_reason) == (True, NASTY)
    assert local.is_yanked
    assert {p.project for p in page.packages} == {"acme"}
    if form == "json":
        assert page.versions == ["1.0", "1.1+local.1", "1!2.0"]
        assert wheel.size == 100
        assert wheel.upload_time == FULL.files[0].uploaded


def test_simple_repository_reads_our_json() -> None:
    page = parse_json_project_page(render.json_page(FULL).decode())
    assert isinstance(page, other.ProjectDetail)
    assert [f.filename for f in page.files] == [f.filename for f in FULL.files]
    assert page.files[0].hashes == {"sha256": FULL.files[0].sha256}


@pytest.mark.parametrize("names", [[], ["a"], ["a", "b-c", "d"]])
def test_roots(names: list[str]) -> None:
    root = json.loads(b"".join(render.json_root(names)))
    assert root == {"meta": {"api-version": "1.4"}, "projects": [{"name": n} for n in names]}
    html = b"".join(render.html_root(names)).decode()
    assert [f'<a href="{n}/">{n}</a>' in html for n in names] == [True] * len(names)
    assert html.count("<a ") == len(names)
