"""A file is found however its address is written; and a client that is missing says so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.clients import machine
from support.clients.place import Place, placed
from support.dists import wheel

LOCAL, EPOCH = wheel("acme-lib", "1.0+cu121"), wheel("acme-lib", "1!2.0")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with placed(tmp_path_factory.mktemp("addresses")) as place:
        place.feed("team")
        place.upload("team", LOCAL, EPOCH)
        yield place


@pytest.mark.parametrize("plus", ["+", "%2B", "%2b", "%252B"])
def test_a_plus_is_found_escaped_or_not(place: Place, plus: str) -> None:
    path = f"/team/files/acme-lib/{LOCAL.filename.replace('+', plus)}"
    assert place.server.get(path, place.token("team")).body == LOCAL.body
    assert place.server.get(f"{path}.metadata", place.token("team")).body == LOCAL.metadata


@pytest.mark.parametrize("mark", ["!", "%21"])
def test_an_exclamation_mark_is_found_escaped_or_not(place: Place, mark: str) -> None:
    path = f"/team/files/acme-lib/{EPOCH.filename.replace('!', mark)}"
    assert place.server.get(path, place.token("team")).body == EPOCH.body


@pytest.mark.parametrize(
    ("asked", "sent_to"),
    [
        (LOCAL.filename, LOCAL.filename.replace("+", "%2B")),
        (EPOCH.filename, EPOCH.filename),
        ("x%0d%0aSet-Cookie:%20a=b", "x%0D%0ASet-Cookie%3A%20a%3Db"),
        ("%E2%82%AC.whl", "%E2%82%AC.whl"),
        ("a%3Fb.whl", "a%3Fb.whl"),
    ],
)
def test_a_redirect_to_the_normalised_name_is_escaped(
    place: Place, asked: str, sent_to: str
) -> None:
    reply = place.server.get(f"/team/files/Acme_Lib/{asked}", place.token("team"))
    assert (reply.status, reply.headers["location"]) == (301, f"../acme-lib/{sent_to}")
    assert "set-cookie" not in reply.headers


@pytest.mark.parametrize("ci", [True, False])
def test_a_client_that_is_missing(monkeypatch: pytest.MonkeyPatch, ci: bool) -> None:
    monkeypatch.setitem(machine._PROGRAMS, "gone", (machine.TOOLS / "gone" / "bin" / "gone",))
    monkeypatch.setenv("CI", "1" if ci else "")
    outcome = pytest.fail.Exception if ci else pytest.skip.Exception
    with pytest.raises(outcome, match="make tools"):
        machine.program("gone")
