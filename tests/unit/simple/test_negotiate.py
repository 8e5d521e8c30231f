"""Which form a page is given in, and whether it is packed."""

from __future__ import annotations

import pytest

from bonded.model.problems import NotAcceptable
from bonded.simple.negotiate import Form, form, gzip_allowed

V1 = "application/vnd.pypi.simple.v1"
LATEST = "application/vnd.pypi.simple.latest"
PIP = f"{V1}+json, {V1}+html; q=0.1, text/html; q=0.01"
UV = f"{V1}+json, {V1}+html;q=0.2, text/html;q=0.01"
PYX = "application/vnd.pyx.simple.v1+msgpack, application/vnd.pyx.simple.v1+json;q=0.9, " + UV
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, Form.TEXT),
        ("", Form.TEXT),
        ("  ", Form.TEXT),
        ("*/*", Form.TEXT),
        (PIP, Form.JSON),
        (UV, Form.JSON),
        (PYX, Form.JSON),
        (BROWSER, Form.TEXT),
        ("text/html", Form.TEXT),
        ("TEXT/HTML", Form.TEXT),
        ("text/*", Form.TEXT),
        ("application/*", Form.JSON),
        (f"{V1}+json", Form.JSON),
        (f"{V1}+html", Form.HTML),
        (f"{LATEST}+json", Form.JSON),
        (f"{LATEST}+html", Form.HTML),
        (f"{V1}+json; charset=utf-8", Form.JSON),
        (f"{V1}+json;q=0.1, text/html", Form.TEXT),
        (f"{V1}+json ; q = 0.1 , {V1}+html ; q = 0.2", Form.HTML),
        (f"{V1}+json;q=0.5, {V1}+html;q=0.5, text/html;q=0.5", Form.JSON),
        (f"{V1}+html, text/html", Form.HTML),
        (f"{V1}+json, */*", Form.JSON),
        (f"{V1}+json;q=0, */*", Form.TEXT),
        (f"{V1}+json;q=0.0, {V1}+html", Form.HTML),
        ("text/html;q=0, */*", Form.HTML),
        ("text/*;q=0, */*;q=0.5", Form.HTML),
        ("text/html;q=0.5, */*", Form.HTML),
        (f"text/html;q=0, {V1}+html;q=0, */*;q=0.1", Form.JSON),
        (f"{V1}+json;q=high, text/html;q=0.1", Form.TEXT),
        (f"{V1}+json;q=nan, text/html;q=0.1", Form.TEXT),
        (f"{V1}+json;q=7, text/html;q=1", Form.JSON),
        (f"{V1}+json;q=-1, text/html;q=0.1", Form.TEXT),
        ("application/json, text/html;q=0.1", Form.TEXT),
        (f",,{V1}+json,,", Form.JSON),
    ],
)
def test_accept(accept: str | None, chosen: Form) -> None:
    assert form(accept) is chosen


@pytest.mark.parametrize(
    "accept",
    [
        "application/json",
        "image/png",
        "application/vnd.pypi.simple.v2+json",
        "text/html;q=0",
        "*/*;q=0",
        "text/html;q=high",
        "gibberish",
        ";q=1",
        "application/vnd.pypi.simple.v1+json;q=0, text/plain",
    ],
)
def test_what_cannot_be_given_is_406_with_a_hint(accept: str) -> None:
    with pytest.raises(NotAcceptable) as refused:
        form(accept)
    assert refused.value.status == 406
    assert all(f.value in (refused.value.hint or "") for f in Form)


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        (f"{V1}+json", Form.JSON),
        ("application/vnd.pypi.simple.v1 json", Form.JSON),
        ("application/vnd.pypi.simple.v1 html", Form.HTML),
        (f"{LATEST}+json", Form.JSON),
        ("text/html", Form.TEXT),
        ("Text/HTML", Form.TEXT),
    ],
)
def test_the_parameter_wins(wanted: str, chosen: Form) -> None:
    assert form("image/png", wanted) is chosen
    assert form(None, wanted) is chosen


@pytest.mark.parametrize("wanted", ["", "json", "*/*", "application/json", "text/html;q=1"])
def test_no_such_format(wanted: str) -> None:
    with pytest.raises(NotAcceptable):
        form(PIP, wanted)


@pytest.mark.parametrize(
    ("header", "allowed"),
    [
        (None, False),
        ("", False),
        ("identity", False),
        ("gzip", True),
        ("GZIP", True),
        ("x-gzip", True),
        ("gzip, deflate, br", True),
        ("deflate, gzip;q=0.1", True),
        ("gzip;q=0", False),
        ("gzip;q=0.0, *", False),
        ("gzip ; q=0", False),
        ("*", True),
        ("*;q=0", False),
        ("identity;q=0, gzip", True),
        ("br", False),
        ("gzip;q=nonsense", False),
    ],
)
def test_gzip(header: str | None, allowed: bool) -> None:
    assert gzip_allowed(header) is allowed
