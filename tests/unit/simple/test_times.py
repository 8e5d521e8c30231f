"""Times as PEP 700 has them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from bonded.simple import times


def test_render_is_utc_with_a_z() -> None:
    at = datetime(2026, 1, 31, 13, 0, 0, 1500, timezone(timedelta(hours=1)))
    assert times.render(at) == "2026-01-31T12:00:00.001500Z"


def test_a_year_has_four_digits() -> None:
    assert times.render(datetime(33, 4, 3, tzinfo=UTC)) == "0033-04-03T00:00:00.000000Z"


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-01-31T12:00:00Z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31T12:00:00.5Z", datetime(2026, 1, 31, 12, 0, 0, 500000, tzinfo=UTC)),
        ("2026-01-31T12:00:00.123456Z", datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)),
        ("2026-01-31T13:00:00+01:00", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31T12:00:00", datetime(2026, 1, 31, 12, tzinfo=UTC)),
    ],
)
def test_parse(text: str, time: datetime) -> None:
    assert times.parse(text) == time


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "yesterday",
        1767225600,
        ["2026"],
        "2026-13-01T00:00:00Z",
        "0001-01-01T00:00:00+10:00",
        "9999-12-31T23:59:59-10:00",
    ],
)
def test_what_is_no_time_is_none(text: object) -> None:
    assert times.parse(text) is None


def test_round_trip() -> None:
    at = datetime(2024, 2, 29, 23, 59, 59, 999999, tzinfo=UTC)
    assert times.parse(times.render(at)) == at
