"""Where the data folder is."""

from __future__ import annotations

from pathlib import Path

import pytest

from bonded.settings import load


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("BONDED_DATA", "~/feeds")
    assert load().data == tmp_path / "feeds"


def test_a_relative_folder_is_made_absolute(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BONDED_DATA", "feeds")
    assert load().data == tmp_path / "feeds"
    monkeypatch.delenv("BONDED_DATA")
    assert load().data == tmp_path / "bonded-data"
