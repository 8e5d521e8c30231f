"""The relay of the demo: files and metadata go through it, and all it is asked is noted."""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from packaging.utils import NormalizedName
from relay import Asked, Origins, Relay, rewritten
from selectolax.lexbor import LexborHTMLParser

from bonded.model.files import File
from bonded.model.problems import Unavailable
from bonded.ports import Validators
from bonded.sources import machine
from bonded.sources.credentials import Address
from bonded.sources.http import HttpIndex
from bonded.sources.http import Web as Session
from support.dists import wheel

NAME = NormalizedName("shapes")
SHAPES = wheel(
    "shapes", "1.0+local", extra={"shapes/data.bin": bytes(range(256)) * 2048}, stored=True
)
PATH = "/packages/ab/" + SHAPES.filename.replace("+", "%2B")
JSON = "application/vnd.pypi.simple.v1+json"


def json_page(files: str) -> tuple[str, str]:
    """A page with links to another host, as large indexes send it."""
    listed = {
        "filename": SHAPES.filename,
        "url": files + PATH,
        "hashes": {"sha256": SHAPES.sha256},
        "size": len(SHAPES.body),
        "core-metadata": {"sha256": hashlib.sha256(SHAPES.metadata).hexdigest()},
        "provenance": "https://index.example/integrity/shapes",
    }
    page = {"meta": {"api-version": "1.4"}, "name": NAME, "versions": ["1.0+local"]}
    return json.dumps(page | {"files": [listed]}), JSON


def anchor(href: str) -> str:
    return (
        f'<!DOCTYPE html><html><head><title>Links for shapes</title></head><body><a href="{href}'
        f'#sha256={SHAPES.sha256}" data-requires-python="&gt;=3.8,&lt;4">{SHAPES.filename}</a>'
        "</body></html>"
    )


def absolute_page(files: str) -> tuple[str, str]:
    return anchor(files + PATH), "text/html"


def based_page(files: str) -> tuple[str, str]:
    page = anchor(PATH.rpartition("/")[2])
    return page.replace("<title>", f'<base href="{files}/packages/ab/"><title>'), "text/html"


@dataclass
class Servers:
    """An index, and another server that has its files."""

    page: Callable[[str], tuple[str, str]]
    ranges: bool = True
    truncate: bool = False
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)
    index: str = ""
    files: str = ""

    async def on_index(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(("index", request.raw_path, request.headers.get("Authorization")))
        if request.raw_path != "/simple/shapes/":
            return web.Response(status=404)
        body, kind = self.page(self.files)
        headers = {"Content-Type": kind, "ETag": '"1"', "Cache-Control": "max-age=77"}
        if request.headers.get("If-None-Match") == '"1"':
            return web.Response(status=304, headers=headers)
        return web.Response(body=body.encode(), headers=headers)

    async def on_files(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(("files", request.raw_path, request.headers.get("Authorization")))
        if request.raw_path == PATH + ".metadata":
            return web.Response(body=SHAPES.metadata)
        if request.raw_path != PATH:
            return web.Response(status=404)
        if "Range" in request.headers and self.ranges:
            start, stop, _ = request.http_range.indices(len(SHAPES.body))
            where = {"Content-Range": f"bytes {start}-{stop - 1}/{len(SHAPES.body)}"}
            return web.Response(status=206, body=SHAPES.body[start:stop], headers=where)
        if not self.truncate:
            return web.Response(body=SHAPES.body)
        response = web.StreamResponse(headers={"Content-Length": str(len(SHAPES.body))})
        await response.prepare(request)
        await response.write(SHAPES.body[:99_999])
        assert request.transport is not None
        request.transport.close()
        return response


@asynccontextmanager
async def listening(
    answer: Callable[[web.Request], object],
) -> AsyncIterator[str]:
    runner = web.ServerRunner(web.Server(answer), shutdown_timeout=0.1)  # type: ignore[arg-type]
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@dataclass
class Scene:
    servers: Servers
    relay: Relay
    reader: HttpIndex
    http: aiohttp.ClientSession

    async def file(self) -> File:
        """The one file of the page, as a feed reads it."""
        answer = await self.reader.ask(NAME, None)
        assert answer.project is not None
        assert answer.project.hidden == ()
        (file,) = answer.project.files
        return file

    async def read(self, url: str | None) -> bytes:
        assert url is not None
        return b"".join([part async for part in (await self.reader.open(url)).read()])


@asynccontextmanager
async def scene(
    page: Callable[[str], tuple[str, str]] = absolute_page, user: str = ""
) -> AsyncIterator[Scene]:
    async with AsyncExitStack() as stack:
        servers = Servers(page)
        servers.index = await stack.enter_async_context(listening(servers.on_index))
        servers.files = await stack.enter_async_context(listening(servers.on_files))
        relay = Relay(servers.index.replace("//", f"//{user}") + "/simple/")
        await relay.start()
        stack.push_async_callback(relay.stop)
        session = Session(machine.trust, "test")
        stack.push_async_callback(session.close)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        yield Scene(servers, relay, HttpIndex(Address.of(relay.url), 1, session), http)


@pytest.mark.parametrize("page", [json_page, absolute_page, based_page])
async def test_files_and_metadata_of_another_host_come_through(
    page: Callable[[str], tuple[str, str]],
) -> None:
    async with scene(page) as on:
        file = await on.file()
        assert file.source.url == f"http://127.0.0.1:{on.relay.port}/from/1{PATH}"
        assert file.sha256 == SHAPES.sha256
        assert await on.read(file.source.url) == SHAPES.body
        assert await on.read(file.source.url + ".metadata") == SHAPES.metadata
        assert [asked[:2] for asked in on.servers.asked] == [
            ("index", "/simple/shapes/"), ("files", PATH), ("files", PATH + ".metadata"),
        ]  # fmt: skip
        noted = [(a.method, a.path, a.status, a.whole_file, a.done) for a in on.relay.log]
        assert noted == [
            ("GET", "/simple/shapes/", 200, False, True),
            ("GET", f"/from/1{PATH}", 200, True, True),
            ("GET", f"/from/1{PATH}.metadata", 200, False, True),
        ]
        assert on.relay.log[1].sent == len(SHAPES.body)


async def test_all_else_on_a_json_page_is_left_alone() -> None:
    async with scene(json_page) as on, on.http.get(on.relay.url + "shapes/") as answer:
        sent, given = (
            await answer.json(content_type=JSON),
            json.loads(json_page(on.servers.files)[0]),
        )
        assert sent["files"][0].pop("url").startswith("/from/")
        given["files"][0].pop("url")
        assert sent == given
        assert answer.headers["ETag"] == '"1"'


@pytest.mark.parametrize(
    ("base", "href", "link"),
    [
        ("", "../../files/a-1.zip", "/from/0/files/a-1.zip"),
        ("", "/files/a-1.zip?sig=x%2By", "/from/0/files/a-1.zip?sig=x%2By"),
        ("", "//cdn.example/a%2B1.zip", "/from/1/a%2B1.zip"),
        ("", " https://cdn.example:8443/a-1.zip ", "/from/1/a-1.zip"),
        ('<base href="https://cdn.example/x/">', "y/a-1.zip", "/from/1/x/y/a-1.zip"),
        ('<base href="../other/">', "a-1.zip", "/from/0/simple/other/a-1.zip"),
        ('<base target="_top">', "a-1.zip", "/from/0/simple/a/a-1.zip"),
        ("", "mailto:people@index.example", "mailto:people@index.example"),
    ],
)
def test_links_of_html_pages(base: str, href: str, link: str) -> None:
    origins = Origins(["https://index.example"])
    fragment = "" if ":" in link else "#sha256=" + "a" * 64
    page = (
        f"<!DOCTYPE html><head>{base}</head><a href='{href}{fragment}' data-core-metadata='true'"
        " data-yanked='it &lt;breaks&gt; &quot;b&quot;' data-requires-python='&gt;=3.8'>a-1.zip</a>"
    )
    if href.endswith(" "):
        page = page.replace(f" {fragment}", f"{fragment} ")
    kind, url = "text/html; charset=utf-8", "https://index.example/simple/a/"
    tree = LexborHTMLParser(rewritten(page.encode(), kind, url, origins.through).decode())
    (found,) = tree.css("a")
    assert found.attributes == {
        "href": link + fragment,
        "data-core-metadata": "true",
        "data-yanked": 'it <breaks> "b"',
        "data-requires-python": ">=3.8",
    }
    assert found.text() == "a-1.zip"
    assert tree.css("base") == []


def test_a_link_leads_back_to_where_it_came_from() -> None:
    origins = Origins(["https://index.example"])
    for link in ("https://cdn.example:1/a/b%2Bc-1.zip?sig=1&x=%20", "https://index.example/d.zip"):
        assert origins.back(origins.through(link)) == link
    assert origins.back("/from/2/etc") is None


@pytest.mark.parametrize("body", [b"{not json", b"[]", b'{"files": [{}]}', b'{"files": 3}'])
def test_what_is_no_page_is_passed_on_as_it_came(body: bytes) -> None:
    assert rewritten(body, JSON, "https://index.example/simple/a/", str.upper) == body


async def test_only_known_hosts_are_asked() -> None:
    async with scene() as on:
        for path in ("/from/1/x.zip", "/from/99/x.zip", "/other", "/simple/", "/from/x/y"):
            async with on.http.get(f"http://127.0.0.1:{on.relay.port}{path}") as answer:
                assert answer.status == 404, path
        async with on.http.post(on.relay.url + "shapes/") as answer:
            assert answer.status in (404, 405)
        assert on.servers.asked == []
        assert len(on.relay.log) == 6


async def test_a_page_is_revalidated_through_it() -> None:
    async with scene() as on:
        first = await on.reader.ask(NAME, None)
        assert first.validators == Validators(etag='"1"')
        assert first.max_age == 77
        again = await on.reader.ask(NAME, first.validators)
        assert again.project is None
        assert [a.status for a in on.relay.log] == [200, 304]


async def test_an_absent_name_is_absent_and_noted() -> None:
    async with scene() as on:
        answer = await on.reader.ask(NormalizedName("nobody"), None)
        assert answer.project is not None
        assert answer.project.absent
        assert [(a.path, a.status) for a in on.relay.log] == [("/simple/nobody/", 404)]


async def test_a_range_is_a_range_and_no_whole_file() -> None:
    async with scene() as on:
        url = (await on.file()).source.url
        assert url is not None
        part = await on.reader.tail(url, None, 100)
        assert part is not None
        assert (part.body, part.size) == (SHAPES.body[-100:], len(SHAPES.body))
        on.servers.ranges = False
        assert await on.reader.tail(url, None, 100) is None
        assert [a.status for a in on.relay.log[1:]] == [206, 200]
        assert not any(a.whole_file for a in on.relay.log)


def test_who_wanted_a_range_did_not_fetch_the_file() -> None:
    # A small file is sent to its end before an asker who wanted a part of it can leave.
    path = "/from/0/a-1-py3-none-any.whl"
    assert Asked("GET", path, ranged=False, status=200, done=True).whole_file
    assert not Asked("GET", path, ranged=True, status=200, done=True).whole_file


async def test_a_file_that_ends_early_does_not_look_complete() -> None:
    async with scene() as on:
        url = (await on.file()).source.url
        on.servers.truncate = True
        with pytest.raises(Unavailable, match="ended early"):
            await on.read(url)
        assert [(a.status, a.done, a.whole_file) for a in on.relay.log[1:]] == [(200, False, False)]


async def test_head_sends_no_body() -> None:
    async with scene() as on:
        url = (await on.file()).source.url
        assert url is not None
        async with on.http.head(url) as answer:
            assert answer.status == 200
            assert answer.content_length == len(SHAPES.body)
            assert await answer.read() == b""
        assert not on.relay.log[-1].whole_file


# aiohttp's successor to BasicAuth cannot be combined with a netrc, which upstreams may need.
@pytest.mark.filterwarnings("ignore:.*(BasicAuth|'auth' parameter).*:DeprecationWarning")
async def test_credentials_go_to_the_index_alone_and_are_not_shown() -> None:
    async with scene(user="me:s3cret@") as on:
        assert await on.read((await on.file()).source.url) == SHAPES.body
        to_index, to_files = (asked[2] for asked in on.servers.asked)
        assert to_index == aiohttp.BasicAuth("me", "s3cret").encode()
        assert to_files is None
        assert "s3cret" not in on.relay.index + on.relay.url + repr(on.relay.log)


async def test_once_stopped_it_refuses_connections_and_the_log_stays() -> None:
    async with scene() as on:
        url = (await on.file()).source.url
        await on.relay.stop()
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", on.relay.port)) != 0
        with pytest.raises(Unavailable, match="cannot be reached"):
            await on.read(url)
        with pytest.raises(Unavailable, match="cannot be reached"):
            await on.reader.ask(NAME, None)
        assert len(on.relay.log) == 1
        await on.relay.stop()


async def test_an_index_that_is_gone_is_an_error_of_the_relay() -> None:
    async with scene() as on:
        gone = Relay("http://127.0.0.1:9/simple/")
        await gone.start()
        try:
            async with on.http.get(gone.url + "shapes/") as answer:
                assert answer.status == 502
        finally:
            await gone.stop()
        assert [a.status for a in gone.log] == [502]
