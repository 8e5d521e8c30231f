"""Settings out of bonded.toml and the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from bonded.model.problems import BadInput
from bonded.settings import load


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BONDED_DATA", str(tmp_path))
    return tmp_path


def test_the_command_before_the_environment_before_the_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load().port == 8080
    (folder / "bonded.toml").write_text("port = 1\nworkers = 2\n")
    assert (load().port, load().workers) == (1, 2)
    monkeypatch.setenv("BONDED_PORT", "3")
    assert (load().port, load(port=4).port) == (3, 4)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prot = 1", "Did you mean port"),
        ("data = '/elsewhere'", "Settings are"),
        ("port = 'x'", "BONDED_PORT"),
        ("port = ", "cannot be read"),
    ],
)
def test_a_wrong_file_is_told(folder: Path, text: str, said: str) -> None:
    (folder / "bonded.toml").write_text(text)
    with pytest.raises(BadInput) as refused:
        load()
    assert said in f"{refused.value.message} {refused.value.hint}"
