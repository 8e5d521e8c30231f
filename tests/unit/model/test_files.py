"""Files, projects, and what an answer depends on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from packaging.utils import NormalizedName

from bonded.model.files import Basis, Project, Standing
from support.values import a_file

T = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_change_between_two_readings_makes_the_answer_again() -> None:
    assert (Basis((("a", 1),)) | Basis((("a", 2),))).revisions == (("a", 1),)
    assert (Basis((("a", 2),)) | Basis((("a", 1),))).revisions == (("a", 1),)


def test_keys_are_joined_and_sorted() -> None:
    both = Basis((("b", 1),)) | Basis((("a", 2), ("c", 3)))
    assert both.revisions == (("a", 2), ("b", 1), ("c", 3))


@pytest.mark.parametrize(
    ("one", "other", "least"),
    [(None, None, None), (T, None, T), (None, T, T), (T, T + timedelta(1), T)],
)
def test_the_first_time_that_comes_counts(
    one: datetime | None, other: datetime | None, least: datetime | None
) -> None:
    assert (Basis((), one) | Basis((), other)).valid_until == least


def test_identity_is_project_filename_and_hash() -> None:
    file = a_file("acme-1.0.tar.gz")
    assert replace(file, size=5, yanked="", uploaded=T) == file
    assert replace(file, sha256="0" * 64) != file
    assert replace(file, filename="acme-2.0.tar.gz") != file


def test_versions_are_sorted_as_versions() -> None:
    files = tuple(a_file(f"acme-{v}.tar.gz") for v in ("1.10", "1.9", "1!0.1", "1.10rc1"))
    files += (a_file("acme-1.9-py3-none-any.whl"),)
    project = Project(name=NormalizedName("acme"), files=files)
    assert project.versions == ["1.9", "1.10rc1", "1.10", "1!0.1"]


def test_who_refuses_uploads() -> None:
    assert {s for s in Standing if s.refuses_uploads} == {Standing.ARCHIVED, Standing.QUARANTINED}
