"""Credentials by reference, and never in what is printed."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest

from bonded.model.problems import Unavailable
from bonded.sources.credentials import Address

SECRET = "hunter2"


def auth(url: str) -> tuple[str, str]:
    found = Address.of(url).auth()
    assert found is not None
    assert SECRET not in repr(found)
    return found.user, found.password


def test_none_is_left_to_netrc() -> None:
    assert Address.of("https://h.example/simple/").auth() is None


def test_a_url_of_this_machine_s_configuration_may_hold_them() -> None:
    address = Address.of("https://me:hunter2%40@h.example:8443/simple/")
    assert address.url == "https://h.example:8443/simple/"
    assert auth("https://me:hunter2%40@h.example/") == ("me", "hunter2@")
    assert SECRET not in repr(address)
    assert SECRET not in str(address)


@pytest.mark.parametrize(
    ("userinfo", "value", "expected"),
    [
        ("env:T", SECRET, ("__token__", SECRET)),
        ("env:T", f"me:{SECRET}", ("me", SECRET)),
        ("me:env:T", SECRET, ("me", SECRET)),
        ("me:env:T", "a:b", ("me", "a:b")),
        ("m%40e:env:T", SECRET, ("m@e", SECRET)),
        ("env:T", f"  {SECRET}\n", ("__token__", SECRET)),
    ],
)
def test_from_a_variable(
    monkeypatch: pytest.MonkeyPatch, userinfo: str, value: str, expected: tuple[str, str]
) -> None:
    monkeypatch.setenv("T", value)
    assert auth(f"https://{userinfo}@h.example/simple/") == expected


def test_it_is_read_when_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    address = Address.of("https://env:T@h.example/")
    for secret in ("first", "second"):
        monkeypatch.setenv("T", secret)
        found = address.auth()
        assert found is not None
        assert found.password == secret


@pytest.mark.parametrize("user", ["", "me:"])
def test_from_a_file(tmp_path: Path, user: str) -> None:
    path = tmp_path / "a secret"
    path.write_text(f"{SECRET}\n")
    login, password = auth(f"https://{user}file:{quote(str(path), safe='')}@h.example/")
    assert (login, password) == (user.rstrip(":") or "__token__", SECRET)


def test_from_a_file_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "token").write_text(SECRET)
    assert auth("https://file:~%2Ftoken@h.example/") == ("__token__", SECRET)


@pytest.mark.parametrize(
    "reference", ["env:NOT_THERE_AT_ALL", "me:env:NOT_THERE_AT_ALL", "file:%2Fno%2Fsuch"]
)
def test_a_missing_one_is_told_in_a_sentence(reference: str) -> None:
    with pytest.raises(Unavailable) as refused:
        Address.of(f"https://{reference}@h.example/").auth()
    assert refused.value.code == "credentials-missing"
    assert "is not there" in refused.value.message
    assert refused.value.hint


def test_what_a_file_holds_is_not_in_its_refusal(tmp_path: Path) -> None:
    path = tmp_path / "binary"
    path.write_bytes(SECRET.encode() + b"\xff\xfe")
    with pytest.raises(Unavailable) as refused:
        Address.of(f"https://file:{quote(str(path), safe='')}@h.example/").auth()
    assert SECRET not in f"{refused.value} {refused.value.hint}"
