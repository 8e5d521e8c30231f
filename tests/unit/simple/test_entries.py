"""Files of a page, there and back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from packaging.utils import NormalizedName

from bonded.model.files import Hidden, Kind
from bonded.simple import entries
from support.values import a_file, a_project

ACME = NormalizedName("acme")
FILES = (
    a_file("acme-1.0.tar.gz", kind=Kind.HOSTED, uploaded=datetime(2026, 1, 1, 1, 2, 3, 4, UTC)),
    a_file("acme-1.0-py3-none-any.whl", yanked="", metadata="true", sha256=None, size=None),
    a_file("acme-1!2.0+l.1.tar.gz", kind=Kind.SAVED, yanked="why", requires_python=">3"),
)
HIDDEN = (
    Hidden(filename="acme-9.exe", by="parse", reason="no"),
    Hidden(filename="acme-3.tar.gz", by="marked", reason="q", status=403, version="3"),
)
BODY = entries.encode(a_project("acme", *FILES, hidden=HIDDEN))


def test_split_gives_back_every_field() -> None:
    files, hidden = entries.split(BODY, ACME)
    assert [repr(f) for f in files] == [repr(f) for f in FILES]
    assert hidden == HIDDEN


def test_entries_by_filename() -> None:
    found = entries.entries(BODY, ACME)
    assert list(found) == [f.filename for f in FILES] + [h.filename for h in HIDDEN]
    assert repr(found["acme-1.0.tar.gz"].file) == repr(FILES[0])
    refused = found["acme-3.tar.gz"]
    assert (refused.file, refused.reason, refused.status) == (None, "q", 403)


@pytest.mark.parametrize("status", [403, 404])
def test_a_file_that_is_shown_wins_over_one_that_is_hidden(status: int) -> None:
    """A saved file is shown while an upstream's of that filename is hidden."""
    hidden = Hidden(filename=FILES[0].filename, by="saved", reason="x", status=status)
    body = entries.encode(a_project("acme", FILES[0], hidden=(hidden,)))
    assert entries.entries(body, ACME)[FILES[0].filename].file is not None


def test_nothing() -> None:
    body = entries.encode(a_project("acme"))
    assert entries.entries(body, ACME) == {}
    assert entries.split(body, ACME) == ((), ())
