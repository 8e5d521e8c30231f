"""Every module can be imported on its own, and what users may rely on is there."""

from __future__ import annotations

import importlib
import pkgutil
from importlib.metadata import entry_points, version
from pathlib import Path

import pytest

import bonded

SRC = Path(__file__).parents[1] / "src" / "bonded"
# Alembic runs its environment by itself, and `__main__` is the command.
ELSEWHERE = ("bonded.__main__", "bonded.catalog.migrations.env")
MODULES = [
    m.name
    for m in pkgutil.walk_packages([str(SRC)], "bonded.")
    if m.name not in ELSEWHERE and ".versions." not in m.name
]


@pytest.mark.parametrize("name", MODULES)
def test_module_is_whole(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__doc__
    for public in getattr(module, "__all__", ()):
        assert hasattr(module, public), f"{name} exports {public}, which is not there"


def test_version_is_the_package_s() -> None:
    assert bonded.__version__ == version("bonded")


def test_the_command_is_installed() -> None:
    (command,) = entry_points(group="console_scripts", name="bonded")
    assert command.value == "bonded.cli:main"
    assert callable(command.load())


def test_the_fakes_are_public() -> None:
    from bonded import testing

    assert {"FakeRemote", "FixedClock", "MemoryBlobs", "MemoryIndex", "MemorySpool"} <= set(
        testing.__all__
    )
