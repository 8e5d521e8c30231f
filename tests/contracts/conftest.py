"""A catalog for each adapter there is; a suite here runs against every one of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bonded.catalog.engine import SqliteCatalog
from bonded.catalog.folder import prepare
from bonded.testing import FixedClock


@pytest.fixture
def clock() -> FixedClock:
    """A clock that the test moves."""
    return FixedClock()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A fresh catalog's file."""
    path = tmp_path / "catalog.db"
    prepare(path)
    return path


@pytest.fixture(params=["sqlite"])
def catalog(request: pytest.FixtureRequest, clock: FixedClock) -> Iterator[SqliteCatalog]:
    """A fresh catalog. PostgreSQL joins the parameters when it is built."""
    assert request.param == "sqlite"
    opened = SqliteCatalog(request.getfixturevalue("database"), clock)
    yield opened
    opened.close()
