"""Ranges as RFC 9110 has them: one is given, several get the whole, none is ever outside."""

from __future__ import annotations

import pytest

from bonded.web.ranges import Unsatisfiable, parse, unsized


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-9", (0, 10)),
        ("bytes=0-0", (0, 1)),
        ("bytes=10-", (10, 100)),
        ("bytes=99-", (99, 100)),
        ("bytes=90-1000", (90, 100)),
        ("bytes=-1", (99, 100)),
        ("bytes=-100", (0, 100)),
        ("bytes=-1000", (0, 100)),
        ("BYTES=0-9", (0, 10)),
        (" bytes = 5 - 6 ", (5, 7)),
        ("bytes=0-9999999999999999999", (0, 100)),
    ],
)
def test_one_range(header: str, part: tuple[int, int]) -> None:
    assert parse(header, 100) == part


@pytest.mark.parametrize(
    "header",
    [None, "", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=9-5", "items=0-5", "bytes=0-1,5-6",
     "bytes=0-1;x", "bytes=1.0-2", "bytes=--5", "bytes=\u0660-\u0669", "bytes=0-" + "9" * 30],
)  # fmt: skip
def test_all_else_gets_the_whole(header: str | None) -> None:
    assert parse(header, 100) is None


@pytest.mark.parametrize(
    ("header", "size"),
    [
        ("bytes=100-", 100),
        ("bytes=100-200", 100),
        ("bytes=-0", 100),
        ("bytes=0-", 0),
        ("bytes=-5", 0),
    ],
)
def test_outside_is_416_with_the_size(header: str, size: int) -> None:
    with pytest.raises(Unsatisfiable) as refused:
        parse(header, size)
    assert (refused.value.status, refused.value.size) == (416, size)


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=-500", (None, 500)),
        ("bytes=0-5", (0, 6)),
        ("bytes=7-7", (7, 1)),
        ("bytes=5-", None),
        ("bytes=9-5", None),
        ("bytes=-0", None),
        ("bytes=-", None),
        ("bytes=0-1,5-6", None),
        (None, None),
    ],
)
def test_of_a_file_whose_size_is_not_known(
    header: str | None, part: tuple[int | None, int] | None
) -> None:
    assert unsized(header) == part
