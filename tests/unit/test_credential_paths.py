"""A reference to a file of credentials is written with the file's path as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from bonded.model.feeds import UpstreamSpec
from bonded.model.problems import BadInput
from bonded.sources.credentials import Address, Login


@pytest.mark.parametrize("user", ["", "reader:"])
def test_a_path_is_written_as_it_is(tmp_path: Path, user: str) -> None:
    file = tmp_path / "a token: 50%"
    file.write_text("secret\n")
    spec = UpstreamSpec.parse(f"https://{user}file:{file}@index.example/simple")
    address = Address.of(spec.text)
    assert address.url == "https://index.example/simple/"
    assert address.auth() == Login(user.rstrip(":") or "__token__", "secret")
    assert UpstreamSpec.parse(spec.text) == spec


def test_an_escaped_path_stays_what_it_is() -> None:
    text = "https://file:%2Frun%2Ftoken@index.example/simple/"
    assert UpstreamSpec.parse(text).text == text


@pytest.mark.parametrize(
    "text", ["https://joe:pass/word@index.example/simple/", "https://file:pw:x@index.example/a@b/"]
)
def test_credentials_are_still_refused(text: str) -> None:
    with pytest.raises(BadInput):
        UpstreamSpec.parse(text)
