"""Fixtures of the tests with real clients."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.clients.installers import INSTALLERS, Installer
from support.clients.machine import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine that knows nothing yet."""
    return Machine(tmp_path / "home")


@pytest.fixture(params=INSTALLERS)
def installer(request: pytest.FixtureRequest, machine: Machine) -> Installer:
    """Each of pip and uv, in two generations."""
    return Installer(request.param, machine)
