"""The token in an Authorization header."""

from __future__ import annotations

from base64 import b64encode

import pytest

from bonded.model.problems import Unauthorised
from bonded.web.auth import secret

TOKEN = "bnd_token"


def basic(text: str | bytes, scheme: bytes = b"Basic") -> bytes:
    return scheme + b" " + b64encode(text if isinstance(text, bytes) else text.encode())


@pytest.mark.parametrize(
    "header",
    [
        basic(f"__token__:{TOKEN}"),
        basic(f"anybody:{TOKEN}"),
        basic(f":{TOKEN}"),
        basic(f"{TOKEN}:"),
        basic(TOKEN),
        basic(f"VssSessionToken:{TOKEN}", b"bAsIc"),
        f"Bearer {TOKEN}".encode(),
        f"bearer   {TOKEN} ".encode(),
    ],
)
def test_the_token_is_found(header: bytes) -> None:
    assert secret(header) == TOKEN


def test_a_colon_may_be_part_of_a_password() -> None:
    assert secret(basic("me:a:b")) == "a:b"


def test_no_header_is_nobody() -> None:
    assert secret(None) is None


@pytest.mark.parametrize(
    "header",
    [b"", b"Basic", b"Basic ", b"Basic ***", b"Bearer", b"Bearer ", b"Digest x=1",
     b"Negotiate abc", TOKEN.encode(), basic(""), basic(":"), b"Basic \xff\xfe"],
)  # fmt: skip
def test_a_header_without_a_token_is_401(header: bytes) -> None:
    with pytest.raises(Unauthorised) as refused:
        secret(header)
    assert refused.value.status == 401
    assert TOKEN not in f"{refused.value.message}{refused.value.hint}"


def test_bytes_that_are_no_text_are_a_wrong_token_and_no_error() -> None:
    assert secret(basic(b"me:\xff\xfe")) is not None
    assert secret(b"Bearer \xff") is not None
