"""Fixtures for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.serving import Bonded
from support.upstream import Upstream, running


@pytest.fixture
def bonded(tmp_path: Path) -> Bonded:
    """The command, on a data folder of the test's own."""
    return Bonded(tmp_path / "data")


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """An upstream on loopback."""
    with running(Upstream()) as up:
        yield up
