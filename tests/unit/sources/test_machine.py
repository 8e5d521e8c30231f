"""What this machine's pip and uv are configured to use."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import pytest
from pypi_simple import PYPI_SIMPLE_ENDPOINT

from bonded.model.problems import Problem
from bonded.sources import machine
from bonded.sources.machine import default_index, trust

ONE, TWO = "https://one.example/simple/", "https://two.example/simple/"
NONE = {"PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1"}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An environment whose configuration lies under a home of its own."""
    monkeypatch.setattr(machine.sys, "prefix", str(tmp_path / "prefix"))
    return {"HOME": str(tmp_path), "XDG_CONFIG_DIRS": str(tmp_path / "xdg")}


def write(home: dict[str, str], path: str, text: str) -> None:
    file = Path(home["HOME"]) / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_nothing_configured_is_the_public_index() -> None:
    assert default_index(NONE) == PYPI_SIMPLE_ENDPOINT


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ({"PIP_INDEX_URL": ONE}, ONE),
        ({"UV_DEFAULT_INDEX": ONE}, ONE),
        ({"UV_INDEX_URL": ONE}, ONE),
        ({"UV_DEFAULT_INDEX": f"corp={ONE}"}, ONE),
        ({"UV_DEFAULT_INDEX": ONE, "UV_INDEX_URL": TWO}, ONE),
        ({"PIP_INDEX_URL": ONE, "UV_DEFAULT_INDEX": TWO}, ONE),
        ({"PIP_INDEX_URL": "  ", "UV_DEFAULT_INDEX": TWO}, TWO),
        ({"PIP_INDEX_URL": f" {ONE} "}, ONE),
        ({"PIP_INDEX_URL": "https://h.example/s/?a=b"}, "https://h.example/s/?a=b"),
        ({"PIP_INDEX_URL": "https://me:pw@h.example/s/"}, "https://me:pw@h.example/s/"),
    ],
)
def test_variables(environment: dict[str, str], url: str) -> None:
    assert default_index(NONE | environment) == url


@pytest.mark.parametrize(
    "environment",
    [
        {"PIP_EXTRA_INDEX_URL": ONE},
        {"PIP_FIND_LINKS": ONE},
        {"UV_INDEX": ONE},
        {"UV_EXTRA_INDEX_URL": ONE},
        {"UV_FIND_LINKS": ONE},
    ],
)
def test_where_strangers_come_in_is_never_taken_over(environment: dict[str, str]) -> None:
    assert default_index(NONE | environment) == PYPI_SIMPLE_ENDPOINT


@pytest.mark.parametrize(
    "path", [".config/pip/pip.conf", ".pip/pip.conf", "xdg/pip/pip.conf", "prefix/pip.conf"]
)
def test_pip_s_files(home: dict[str, str], path: str) -> None:
    write(home, path, f"[global]\nindex-url = {ONE}\nextra-index-url = {TWO}\n")
    assert default_index(home) == ONE


def test_stronger_files_win(home: dict[str, str]) -> None:
    write(home, "xdg/pip/pip.conf", "[global]\nindex-url = https://site.example/\n")
    write(home, ".pip/pip.conf", "[global]\nindex-url = https://legacy.example/\n")
    assert default_index(home) == "https://legacy.example/"
    write(home, ".config/pip/pip.conf", f"[global]\nindex-url = {TWO}\n")
    assert default_index(home) == TWO
    write(home, "prefix/pip.conf", f"[global]\nindex-url = {ONE}\n")
    assert default_index(home) == ONE
    write(home, "chosen.conf", "[global]\nindex-url = https://chosen.example/\n")
    chosen = home | {"PIP_CONFIG_FILE": str(Path(home["HOME"]) / "chosen.conf")}
    assert default_index(chosen) == "https://chosen.example/"
    assert default_index(chosen | {"PIP_INDEX_URL": TWO}) == TWO


def test_xdg_config_home(home: dict[str, str]) -> None:
    write(home, "elsewhere/pip/pip.conf", f"[global]\nindex-url = {ONE}\n")
    assert default_index(home | {"XDG_CONFIG_HOME": f"{home['HOME']}/elsewhere"}) == ONE


def test_install_goes_before_global(home: dict[str, str]) -> None:
    text = f"[global]\nindex-url = {TWO}\n[install]\nindex-url = {ONE}\n"
    write(home, ".config/pip/pip.conf", text)
    assert default_index(home) == ONE


def test_pip_takes_underscores_too(home: dict[str, str]) -> None:
    write(home, ".config/pip/pip.conf", f"[global]\nindex_url = {ONE}\n")
    assert default_index(home) == ONE


def test_extra_index_and_find_links_in_files_are_ignored(home: dict[str, str]) -> None:
    write(home, ".config/pip/pip.conf", f"[global]\nextra-index-url = {ONE}\nfind-links = {ONE}\n")
    write(home, ".config/uv/uv.toml", f'extra-index-url = ["{ONE}"]\n[[index]]\nurl = "{ONE}"\n')
    strict = home | {"UV_CONFIG_FILE": f"{home['HOME']}/.config/uv/uv.toml"}
    assert ONE not in default_index(strict)


def test_pip_can_be_told_to_read_no_file(home: dict[str, str]) -> None:
    write(home, ".config/pip/pip.conf", f"[global]\nindex-url = {ONE}\n")
    assert default_index(home | NONE) == PYPI_SIMPLE_ENDPOINT


@pytest.mark.parametrize(
    "text",
    [
        f'index-url = "{ONE}"\n',
        f'[[index]]\nurl = "{TWO}"\n[[index]]\nurl = "{ONE}"\ndefault = true\n',
    ],
)
def test_uv_s_file(home: dict[str, str], text: str) -> None:
    write(home, ".config/uv/uv.toml", text)
    quiet = home | {"PIP_CONFIG_FILE": os.devnull}
    assert default_index(quiet) == ONE
    assert default_index(quiet | {"UV_NO_CONFIG": "1"}) == PYPI_SIMPLE_ENDPOINT


def test_pip_goes_before_uv(home: dict[str, str]) -> None:
    write(home, ".config/pip/pip.conf", f"[global]\nindex-url = {ONE}\n")
    write(home, ".config/uv/uv.toml", f'index-url = "{TWO}"\n')
    assert default_index(home) == ONE


@pytest.mark.parametrize(
    "text", ["not an ini file", "[global\n", "\x00\xff", "[global]\nx=1\nx=2\n"]
)
def test_broken_files_are_passed_over(home: dict[str, str], text: str) -> None:
    write(home, "xdg/pip/pip.conf", f"[global]\nindex-url = {ONE}\n")
    write(home, ".config/pip/pip.conf", text)
    write(home, ".config/uv/uv.toml", text)
    assert default_index(home) == ONE


def test_trust_of_a_file_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="cannot be read") as refused:
        trust(NONE | {"SSL_CERT_FILE": str(tmp_path / "absent.pem")})
    assert refused.value.code == "bad-certificates"


def test_trust_is_the_system_s_when_nothing_is_said() -> None:
    context = trust(NONE)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
