"""Pages of upstreams, good, old, odd and hostile."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from packaging.utils import NormalizedName
from packaging.version import Version

from bonded.model.files import File, Kind, Project, Standing
from bonded.simple import entries, render
from bonded.simple.parse import From, NotAnIndexPage, page

ACME = NormalizedName("acme")
ORIGIN = From("https://up.example/simple/acme/", "https://up.example/simple/", 3)
JSON = "application/vnd.pypi.simple.v1+json"
SHA = "a1" * 32


def of_json(*files: Any, meta: Any = None, **more: Any) -> Project:
    body = {"meta": meta or {"api-version": "1.1"}, "name": "acme", "files": files, **more}
    return page(json.dumps(body).encode(), JSON, ACME, ORIGIN)


def of_html(body: str, kind: str = "text/html", name: NormalizedName = ACME) -> Project:
    return page(body.encode(), kind, name, ORIGIN)


def links(*anchors: str, head: str = "<title>Links for acme</title>") -> Project:
    return of_html(
        f"<!DOCTYPE html><html><head>{head}</head><body>{' '.join(anchors)}</body></html>"
    )


def listed(**more: Any) -> dict[str, Any]:
    plain = {
        "filename": "acme-1.0.tar.gz",
        "url": "../../f/acme-1.0.tar.gz",
        "hashes": {"sha256": SHA},
    }
    return {**plain, **more}


def one(project: Project) -> File:
    (file,) = project.files
    assert not project.hidden
    return file


# JSON


def test_everything_is_read() -> None:
    file = one(
        of_json(
            listed(
                **{
                    "size": 10,
                    "upload-time": "2024-01-01T00:00:00Z",
                    "requires-python": " >=3.8 ",
                    "yanked": "broken",
                    "core-metadata": {"sha256": SHA},
                    "provenance": None,
                    "_private": [1],
                }
            )
        )
    )
    assert file.version == Version("1.0")
    assert (file.sha256, file.size, file.metadata) == (SHA, 10, SHA)
    assert file.uploaded == datetime(2024, 1, 1, tzinfo=UTC)
    assert (file.requires_python, file.yanked) == (">=3.8", "broken")
    assert file.source.kind is Kind.UPSTREAM
    assert (file.source.upstream, file.source.label) == (3, "https://up.example/simple/")
    assert file.source.url == "https://up.example/f/acme-1.0.tar.gz"


def test_little_is_enough() -> None:
    file = one(of_json({"filename": "acme-1.0.tar.gz", "url": "https://f.example/x", "hashes": {}}))
    assert file.source.url == "https://f.example/x"
    assert (file.sha256, file.size, file.uploaded, file.requires_python) == (None, None, None, None)
    assert (file.yanked, file.metadata) == (None, None)


WRONG: list[dict[str, Any]] = [
    {"size": "10"},
    {"size": -1},
    {"size": 1.5},
    {"size": True},
    {"size": 2**70},
    {"size": 10**300},
    {"upload-time": 5},
    {"upload-time": "0001-01-01T00:00:00+14:00"},
    {"requires-python": ["3"]},
    {"requires-python": "  "},
    {"hashes": None},
    {"hashes": []},
    {"hashes": {"sha256": 5}},
    {"hashes": {"sha256": "zz"}},
    {"hashes": {"sha256": SHA[:-1]}},
    {"core-metadata": False},
    {"core-metadata": None},
    {"yanked": False},
    {"yanked": None},
    {"yanked": ""},
    {"gpg-sig": {"a": []}},
]


@pytest.mark.parametrize("more", WRONG, ids=repr)
def test_a_field_that_makes_no_sense_is_left_out(more: dict[str, Any]) -> None:
    file = one(of_json(listed(**more)))
    assert (file.size, file.uploaded, file.requires_python) == (None, None, None)
    assert (file.yanked, file.metadata) == (None, None)
    assert file.sha256 == (None if "hashes" in more else SHA)


@pytest.mark.parametrize("more", WRONG, ids=repr)
def test_what_was_left_out_can_be_kept_and_shown(more: dict[str, Any]) -> None:
    project = of_json(listed(**more))
    assert entries.split(entries.encode(project), ACME) == (project.files, project.hidden)
    assert render.json_page(project)


@pytest.mark.parametrize(
    ("yanked", "kept"), [(True, ""), ("why", "why"), ("  why ", "why"), ({"a": 1}, ""), (1, "")]
)
def test_yanked_is_what_is_truthy(yanked: object, kept: str) -> None:
    assert one(of_json(listed(yanked=yanked))).yanked == kept


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({"core-metadata": True}, "true"),
        ({"core-metadata": {"sha256": SHA.upper()}}, SHA),
        ({"core-metadata": {"md5": "0" * 32}}, "true"),
        ({"dist-info-metadata": {"sha256": SHA}}, SHA),
        ({"data-dist-info-metadata": {"sha256": SHA}}, SHA),
        ({"core-metadata": False, "dist-info-metadata": {"sha256": SHA}}, None),
        ({"core-metadata": {"sha256": SHA}, "dist-info-metadata": True}, SHA),
    ],
)
def test_metadata_has_three_names_and_the_new_one_wins(
    fields: dict[str, Any], kept: str | None
) -> None:
    assert one(of_json(listed(**fields))).metadata == kept


def test_hashes_are_lowercase_and_another_than_sha256_is_kept_aside() -> None:
    assert one(of_json(listed(hashes={"SHA256": SHA.upper()}))).sha256 == SHA
    file = one(of_json(listed(hashes={"md5": "AB" * 16})))
    assert (file.sha256, file.source.digest) == (None, "md5=" + "ab" * 16)
    assert one(of_json(listed(hashes={"crc32": "00"}))).source.digest is None


@pytest.mark.parametrize(
    ("filename", "why"),
    [
        ("acme-1.0-py3.11.egg", "not the filename"),
        ("acme-1.0.win-amd64.exe", "not the filename"),
        ("acme-1.0.tar.bz2", "not the filename"),
        ("other-1.0.tar.gz", "belongs to other"),
        ("../acme-1.0.tar.gz", "cannot be the filename"),
        ("acme-1.0.tar.gz\n", "cannot be the filename"),
        ("<script>-1.0.tar.gz", "cannot be the filename"),
        ("", "cannot be the filename"),
        ("acme-what-py3-none-any.whl", "not the filename"),
    ],
)
def test_what_is_no_distribution_is_hidden_with_the_reason(filename: str, why: str) -> None:
    project = of_json(listed(filename=filename), listed())
    assert [f.filename for f in project.files] == ["acme-1.0.tar.gz"]
    (hidden,) = project.hidden
    assert (hidden.filename, hidden.by) == (filename, "parse")
    assert why in hidden.reason


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "ftp://up.example/a",
        "data:text/plain,x",
        "http://[::1/x",
        "//[bad",
    ],
)
def test_links_that_are_no_web_addresses_are_hidden(url: str) -> None:
    project = of_json(listed(url=url))
    assert not project.files
    assert "not a web address" in project.hidden[0].reason


def test_of_two_with_one_filename_the_first_counts() -> None:
    project = of_json(listed(), listed(hashes={"sha256": "b2" * 32}, size=5))
    assert one(project).sha256 == SHA


@pytest.mark.parametrize("version", ["1.0", "1.4", "1.99", 1.0, "1"])
def test_minor_versions_are_all_understood(version: object) -> None:
    assert one(of_json(listed(), meta={"api-version": version}))


@pytest.mark.parametrize("version", ["2.0", "0.9", "", "10.0", None, [], {}])
def test_other_major_versions_are_refused(version: object) -> None:
    with pytest.raises(NotAnIndexPage, match=r"only 1\.x is known"):
        of_json(listed(), meta={"api-version": version})


def test_meta_without_a_version_is_refused() -> None:
    with pytest.raises(NotAnIndexPage):
        of_json(listed(), meta={"_last-serial": 1})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"meta":{"api-version":"1.0"}}',
        b'{"meta":{"api-version":"1.0"},"files":{}}',
        b'{"meta":{"api-version":"1.0"},"files":[{}]}',
        b'{"meta":{"api-version":"1.0"},"files":[1]}',
        b'{"meta":{"api-version":"1.0"},"files":[',
        b"<html></html>",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"meta":{"api-version":"1.0"},"files":[{"filename":"a","url":"\\ud800"}]}',
        b'{"meta":{"api-version":"1.0"},"files":[],"x":' + b"9" * 5000,
        b'{"message":"not found"}',
    ],
)
def test_json_that_is_no_page(body: bytes) -> None:
    with pytest.raises(NotAnIndexPage) as refused:
        page(body, JSON, ACME, ORIGIN)
    assert "https://up.example/simple/" in refused.value.message
    assert refused.value.status == 502


@pytest.mark.parametrize(
    ("more", "standing", "reason"),
    [
        ({"project-status": {"status": "archived", "reason": "old"}}, "archived", "old"),
        ({"project-status": {"status": "quarantined"}}, "quarantined", None),
        ({"project-status": "deprecated"}, "deprecated", None),
        ({"meta": {"api-version": "1.4", "project-status": "archived"}}, "archived", None),
        ({"project-status": {"status": "unheard-of", "reason": "x"}}, "active", None),
        ({"project-status": {"status": ["archived"]}}, "active", None),
        ({"project-status": 5}, "active", None),
        ({}, "active", None),
    ],
)
def test_statuses(more: dict[str, Any], standing: str, reason: str | None) -> None:
    status = of_json(listed(), **more).status
    assert (status.standing, status.reason) == (Standing(standing), reason)


# HTML


def test_an_html_page() -> None:
    file = one(
        links(
            f'<a href="../../f/acme-1.0.tar.gz#sha256={SHA}" data-requires-python="&gt;=3.8"'
            ' data-upload-time="2024-01-01T00:00:00Z" rel="internal">acme-1.0.tar.gz</a>'
        )
    )
    assert (file.sha256, file.requires_python) == (SHA, ">=3.8")
    assert file.uploaded == datetime(2024, 1, 1, tzinfo=UTC)
    assert file.size is None
    assert file.yanked is None
    assert file.source.url == "https://up.example/f/acme-1.0.tar.gz"


@pytest.mark.parametrize(
    ("attribute", "yanked"),
    [
        ("", None),
        ("data-yanked", ""),
        ('data-yanked=""', ""),
        ('data-yanked="bad &amp; old"', "bad & old"),
    ],
)  # fmt: skip
def test_yanked_in_html(attribute: str, yanked: str | None) -> None:
    assert one(links(f'<a href="acme-1.0.tar.gz" {attribute}>x</a>')).yanked == yanked


@pytest.mark.parametrize(
    ("attribute", "metadata"),
    [
        ("", None),
        (f'data-core-metadata="sha256={SHA}"', SHA),
        ('data-core-metadata="true"', "true"),
        ("data-core-metadata", None),
        ('data-core-metadata="false"', None),
        (f'data-dist-info-metadata="sha256={SHA}"', SHA),
        (f'data-dist-info-metadata="true" data-core-metadata="sha256={SHA}"', SHA),
        ('data-core-metadata="md5=0"', "true"),
    ],
)
def test_metadata_in_html(attribute: str, metadata: str | None) -> None:
    assert one(links(f'<a href="acme-1.0.tar.gz" {attribute}>x</a>')).metadata == metadata


@pytest.mark.parametrize(
    ("base", "href", "url"),
    [
        ("", "acme-1.0.tar.gz", "https://up.example/simple/acme/acme-1.0.tar.gz"),
        ("", "/f/acme-1.0.tar.gz", "https://up.example/f/acme-1.0.tar.gz"),
        ("", "//cdn.example/acme-1.0.tar.gz", "https://cdn.example/acme-1.0.tar.gz"),
        ("", " acme-1.0.tar.gz ", "https://up.example/simple/acme/acme-1.0.tar.gz"),
        ("", "acme-1.0.tar.gz?sig=a%2Fb&x=1#md5=x",
         "https://up.example/simple/acme/acme-1.0.tar.gz?sig=a%2Fb&x=1"),
        ('<base href="/files/">', "acme-1.0.tar.gz", "https://up.example/files/acme-1.0.tar.gz"),
        ('<base href="https://cdn.example/f/">', "acme-1.0.tar.gz",
         "https://cdn.example/f/acme-1.0.tar.gz"),
        ('<base href="http://[">', "acme-1.0.tar.gz",
         "https://up.example/simple/acme/acme-1.0.tar.gz"),
        ("<base>", "acme-1.0.tar.gz", "https://up.example/simple/acme/acme-1.0.tar.gz"),
    ],
)  # fmt: skip
def test_links_are_resolved(base: str, href: str, url: str) -> None:
    file = one(links(f'<a href="{href}">x</a>', head=f"{base}<title>Links for acme</title>"))
    assert file.source.url == url


def test_escaped_filenames() -> None:
    assert one(links('<a href="acme-1.0%2Blocal.tar.gz">x</a>')).filename == "acme-1.0+local.tar.gz"


@pytest.mark.parametrize(
    "href",
    ["", "..", "../", "#top", "https://example/", "http://[::1/acme-1.0.tar.gz", "readme.html"],
)
def test_links_to_something_else_are_passed_over(href: str) -> None:
    project = links(f'<a href="{href}">x</a>', '<a href="acme-1.0.tar.gz">x</a>', "<a>no link</a>")
    assert one(project).filename == "acme-1.0.tar.gz"


@pytest.mark.parametrize(
    "href",
    ["javascript:alert('/acme-1.0.tar.gz", "file:///f/acme-1.0.tar.gz", "ftp://h/acme-1.0.tar.gz"],
)
def test_hostile_links_are_hidden(href: str) -> None:
    project = links(f'<a href="{href}">x</a>')
    assert not project.files
    assert project.hidden[0].filename == "acme-1.0.tar.gz"


@pytest.mark.parametrize("filename", ["acme-1.0-py2.7.egg", "acme-1.0.exe", "acme-1.0.tar.bz2"])
def test_legacy_files_are_hidden_with_a_reason(filename: str) -> None:
    project = links(f'<a href="{filename}">x</a>')
    assert [h.filename for h in project.hidden] == [filename]
    assert not project.files


def test_statuses_in_html() -> None:
    status = links(
        head='<meta name="pypi:project-status" content="archived">'
        '<meta name="pypi:project-status-reason" content="moved &amp; gone">'
        '<meta name="pypi:repository-version" content="1.4">'
    ).status
    assert (status.standing, status.reason) == (Standing.ARCHIVED, "moved & gone")


@pytest.mark.parametrize("version", ["2.0", "3", "10.1"])
def test_html_of_a_later_major_version_is_refused(version: str) -> None:
    with pytest.raises(NotAnIndexPage, match=r"only 1\.x"):
        links(head=f'<meta name="pypi:repository-version" content="{version}">')


@pytest.mark.parametrize(
    "body",
    [
        "",
        "not html at all",
        "<html><body>Sign in</body></html>",
        '<html><title>Sign in</title><a href="/login">Sign in</a></html>',
        "<h1>502 Bad Gateway</h1><hr><center>nginx</center>",
        "\0\0\0",
        "{}",
    ],
)
def test_error_pages_are_no_index_pages(body: str) -> None:
    with pytest.raises(NotAnIndexPage):
        of_html(body)


@pytest.mark.parametrize(
    "body",
    [
        "<title>Links for acme</title>",
        "<h1>Links for acme</h1>",
        "<html><title>Index of /simple/acme/</title></html>",
        "<title>Simple index</title>",
        '<meta name="pypi:repository-version" content="1.0">',
    ],
)
def test_an_empty_page_is_still_a_page(body: str) -> None:
    project = of_html(body)
    assert not project.files
    assert project.absent is None


@pytest.mark.parametrize(
    ("kind", "known"),
    [
        ("text/html; charset=utf-8", True),
        ("TEXT/HTML", True),
        ("application/vnd.pypi.simple.v1+html", True),
        ("application/xhtml+xml", True),
        ("text/plain", False),
        ("", False),
        ("application/octet-stream", False),
        ("image/png", False),
    ],
)
def test_the_content_type_decides(kind: str, known: bool) -> None:
    if known:
        assert of_html('<a href="acme-1.0.tar.gz">x</a>', kind).files
    else:
        with pytest.raises(NotAnIndexPage, match="Content-Type"):
            of_html('<a href="acme-1.0.tar.gz">x</a>', kind)


def test_json_by_its_plain_name() -> None:
    body = json.dumps({"meta": {"api-version": "1.0"}, "files": [listed()]}).encode()
    assert one(page(body, "application/json; charset=utf-8", ACME, ORIGIN))


def test_bytes_that_are_no_utf_8_do_not_matter() -> None:
    project = page(b'<a href="acme-1.0.tar.gz">\xff\xfe</a>', "text/html", ACME, ORIGIN)
    assert one(project)
