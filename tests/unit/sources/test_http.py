"""Credentials go to the index they are for and nowhere else; against a server on loopback."""

from __future__ import annotations

import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from packaging.utils import NormalizedName

from bonded.model.problems import Unavailable
from bonded.sources.credentials import Address
from bonded.sources.http import HttpIndex, Web

ACME = NormalizedName("acme")


@dataclass
class Asked:
    """What a server on loopback was asked; it answers 404, or sends on to `onward`."""

    host: str = ""
    onward: str | None = None
    logins: list[str | None] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        header = request.headers.get("Authorization")
        decoded = base64.b64decode(header.split()[1]).decode("latin-1") if header else None
        self.logins.append(decoded)
        if self.onward is not None:
            return web.Response(status=302, headers={"Location": self.onward})
        return web.Response(status=404)


@asynccontextmanager
async def listening() -> AsyncIterator[Asked]:
    asked, app = Asked(), web.Application()
    app.router.add_get("/{path:.*}", asked.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    asked.host = f"127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield asked
    finally:
        await runner.cleanup()


@asynccontextmanager
async def index(url: str) -> AsyncIterator[HttpIndex]:
    session = Web(ssl.create_default_context, "test")
    try:
        yield HttpIndex(Address.of(url), 1, session)
    finally:
        await session.close()


@pytest.fixture(autouse=True)
def no_netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    netrc = tmp_path / "netrc"
    netrc.write_text("")
    monkeypatch.setenv("NETRC", str(netrc))
    return netrc


@pytest.mark.parametrize(
    ("userinfo", "sent"),
    [
        ("", None),
        ("me:env:T@", "me:p@ss:w/%41"),
        ("env:T@", "p@ss:w/%41"),
        ("me:plain%40@", "me:plain@"),
    ],
)
async def test_credentials_are_sent_as_they_are(
    monkeypatch: pytest.MonkeyPatch, userinfo: str, sent: str | None
) -> None:
    monkeypatch.setenv("T", "p@ss:w/%41")
    async with listening() as asked, index(f"http://{userinfo}{asked.host}/simple/") as there:
        await there.ask(ACME, None)
        assert asked.logins == [sent]


async def test_the_netrc_is_for_those_without(
    monkeypatch: pytest.MonkeyPatch, no_netrc: Path
) -> None:
    no_netrc.write_text("machine 127.0.0.1 login somebody password secret\n")
    monkeypatch.setenv("T", "token")
    async with listening() as asked:
        for userinfo in ("", "me:env:T@"):
            async with index(f"http://{userinfo}{asked.host}/simple/") as there:
                await there.ask(ACME, None)
        assert asked.logins == ["somebody:secret", "me:token"]


async def test_a_redirect_to_another_origin_takes_no_credentials_along(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("T", "token")
    async with listening() as first, listening() as second:
        first.onward = f"http://{second.host}/elsewhere"
        async with index(f"http://me:env:T@{first.host}/simple/") as there:
            await there.ask(ACME, None)
        assert (first.logins, second.logins) == (["me:token"], [None])


async def test_files_elsewhere_get_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T", "token")
    async with listening() as first, listening() as second:
        async with index(f"http://me:env:T@{first.host}/simple/") as there:
            await there.tail(f"http://{second.host}/f.whl", None, 10)
            await there.tail(f"http://{first.host}/f.whl", None, 10)
        assert (first.logins, second.logins) == (["me:token"], [None])


async def test_an_upstream_that_is_not_there_is_told_without_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("T", "hunter2")
    async with listening() as asked:
        gone = asked.host
    async with index(f"http://me:env:T@{gone}/simple/") as there:
        with pytest.raises(Unavailable) as refused:
            await there.ask(ACME, None)
        assert gone in refused.value.message
        assert "hunter2" not in f"{refused.value}{refused.value.__cause__}{there!r}"
        assert refused.value.retry_after
