"""Whatever an upstream sends is a page, or is told not to be one; and ours are read back."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from packaging.utils import NormalizedName

from bonded.model.files import File, Project, Standing, Status
from bonded.simple import entries, parse, render
from support.values import a_file, a_project

ACME = NormalizedName("acme")
ORIGIN = parse.From("https://up.example/simple/acme/", "the upstream", 1)
JSON, HTML = "application/vnd.pypi.simple.v1+json", "text/html"
KEYS = ["filename", "url", "hashes", "size", "upload-time", "requires-python", "core-metadata",
        "dist-info-metadata", "data-dist-info-metadata", "yanked", "provenance"]  # fmt: skip
LEAVES: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
    | st.sampled_from(["acme-1.0.tar.gz", "../x", "http://[", "//[", "a" * 64, "1" * 64, 2**64, -1])
)  # fmt: skip
NESTED = st.sampled_from([*KEYS, "sha256", "status"])
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NESTED, inner, max_size=3),
    max_leaves=6,
)


def looked_at(body: bytes, kind: str) -> Project | None:
    """A page, if it is one; all that is done with pages must work with it."""
    try:
        project = parse.page(body, kind, ACME, ORIGIN)
    except parse.NotAnIndexPage as problem:
        assert problem.message.startswith("the upstream ")
        return None
    assert project.name == ACME
    for file in project.files:
        assert file.project == ACME
        assert file.source.url is not None
        assert file.source.url.startswith(("http://", "https://"))
        assert file.sha256 is None or len(file.sha256) == 64
    kept = entries.encode(project)
    assert entries.split(kept, ACME) == (project.files, project.hidden)
    assert entries.entries(kept, ACME).keys() == {
        *(f.filename for f in project.files),
        *(h.filename for h in project.hidden),
    }
    json.loads(render.json_page(project))
    render.html_page(project).decode()
    return project


KINDS = st.sampled_from([JSON, HTML, "application/json", "text/plain", ""])


@given(st.binary(max_size=300), KINDS)
def test_any_bytes(body: bytes, kind: str) -> None:
    looked_at(body, kind)


@given(st.text(alphabet='<>/="aAbe hrftilmscp:[]#&;-.1\0\ufffd', max_size=200))
def test_anything_like_html(body: str) -> None:
    looked_at(f"<title>Links for x</title>{body}".encode(), HTML)


@given(st.text(max_size=60), st.text(max_size=20))
def test_any_link_and_attribute(href: str, value: str) -> None:
    quoted = [t.replace('"', "&quot;") for t in (href, value)]
    names = ("yanked", "requires-python", "core-metadata", "upload-time")
    attributes = " ".join(f'data-{n}="{quoted[1]}"' for n in names)
    body = f'<title>Links for</title><base href="{quoted[1]}"><a href="{quoted[0]}" {attributes}>'
    body += f'<a href="{quoted[0]}/acme-1.0.tar.gz#{quoted[1]}" {attributes}>'
    looked_at(body.encode("utf-8", "replace"), HTML)


@given(st.dictionaries(st.sampled_from(KEYS), ANYTHING), ANYTHING, ANYTHING)
def test_any_json_of_the_right_outline(file: dict[str, Any], status: Any, version: Any) -> None:
    page = {
        "meta": {"api-version": "1.0", "project-status": version},
        "files": [{"filename": "acme-1.0.tar.gz", "url": "x", "hashes": {}} | file],
        "project-status": status,
    }
    looked_at(json.dumps(page).encode(), JSON)


GOOD = a_project(
    "acme",
    a_file("acme-1.0.tar.gz", yanked="why", requires_python=">=3.8"),
    a_file("acme-1.0-py3-none-any.whl", metadata="ab" * 32),
    status=Status(standing=Standing.ARCHIVED, reason="moved"),
)
PAGES = {JSON: render.json_page(GOOD), HTML: render.html_page(GOOD)}


@given(st.sampled_from([JSON, HTML]), st.integers(0), st.integers(0, 12), st.binary(max_size=6))
@example(JSON, 0, 0, b"")
def test_mutated_pages(kind: str, at: int, length: int, put: bytes) -> None:
    body = PAGES[kind]
    at %= len(body)
    looked_at(body[:at] + put + body[at + length :], kind)


@given(st.sampled_from([JSON, HTML]), st.integers(0))
def test_pages_cut_short(kind: str, at: int) -> None:
    body = PAGES[kind][: at % len(PAGES[kind])]
    project = looked_at(body, kind)
    if kind == JSON:
        assert project is None


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=20).map(
    lambda t: " ".join(t.split())
)
FILES = st.builds(
    a_file,
    st.builds("acme-{}.{}".format, st.integers(0, 99), st.integers(0, 99)).flatmap(
        lambda stem: st.sampled_from([f"{stem}.tar.gz", f"{stem}-py3-none-any.whl"])
    ),
    requires_python=st.none() | TEXT.filter(bool),
    yanked=st.none() | TEXT,
    metadata=st.sampled_from([None, "true", "cd" * 32]),
    size=st.none() | st.integers(0, 2**50),
)
FIELDS = ("filename", "sha256", "version", "requires_python", "yanked", "metadata")


def said(files: tuple[File, ...]) -> list[tuple[object, ...]]:
    return [tuple(getattr(f, name) for name in FIELDS) for f in files]


@given(st.lists(FILES, max_size=5, unique_by=lambda f: f.filename))
def test_what_is_rendered_is_read_back(files: list[File]) -> None:
    project = a_project("acme", *files)
    for kind, body in ((JSON, render.json_page(project)), (HTML, render.html_page(project))):
        read = looked_at(body, kind)
        assert read is not None
        assert said(read.files) == said(project.files)
        assert not read.hidden
    read = looked_at(render.json_page(project), JSON)
    assert read is not None
    assert [f.size for f in read.files] == [f.size for f in files]
