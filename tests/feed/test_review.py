"""Ways in which a stranger's file, or yesterday's answer, could have come in."""

from __future__ import annotations

import asyncio
import gzip
import io
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from aiohttp import web
from packaging.utils import NormalizedName

from bonded.app.worker import rooms
from bonded.blobs.local import LocalBlobs
from bonded.catalog.engine import SqliteCatalog
from bonded.catalog.folder import prepare
from bonded.model.feeds import Feed, UpstreamSpec
from bonded.model.files import Kind, Project
from bonded.model.names import FeedName
from bonded.model.problems import NotFound, Unavailable
from bonded.operations.feeds import FeedAdmin
from bonded.operations.sweep import Check
from bonded.operations.uploads import Incoming, Uploads
from bonded.ports import Answer, Row, Transaction
from bonded.settings import Settings
from bonded.simple.archives import complete
from bonded.sources import http
from bonded.sources.credentials import Address
from bonded.sources.http import HttpIndex, Web
from bonded.testing import FakeRemote, FixedClock, MemoryIndex
from bonded.views.cached import ABSENT, RESTING, Cached, Flights
from bonded.views.saved import Saved
from support.dists import Dist, sdist, wheel
from support.serving import Bonded, Server, serving, upload
from support.upstream import Upstream
from support.values import a_file, a_project

ACME = NormalizedName("acme")
DOWN = Unavailable("The upstream is down.", code="down")
GONE = Answer(project=Project(name=ACME, absent="no such project"))
PAGE = Answer(project=a_project("acme", a_file("acme-1.tar.gz")))


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def catalog(tmp_path: Path, clock: FixedClock) -> Iterator[SqliteCatalog]:
    prepare(tmp_path / "catalog.db")
    opened = SqliteCatalog(tmp_path / "catalog.db", clock)
    yield opened
    opened.close()


async def a_feed(catalog: SqliteCatalog, *specs: str) -> Feed:
    parsed = [UpstreamSpec.parse(s) for s in specs]
    return await catalog.write(lambda tx: tx.feeds.create(FeedName("team"), True, parsed))


@pytest.fixture
def server(bonded: Bonded, upstream: Upstream) -> Iterator[Server]:
    """`base` hosts only; `app` falls back to the upstream first, then to `base`."""
    bonded.run("feed", "create", "base")
    specs = ("--upstream", upstream.url, "--upstream", "feed:base")
    bonded.run("feed", "create", "app", *specs, "--public")
    with serving(bonded) as running:
        yield running


def versions(server: Server, name: str) -> list[str]:
    if server.get(f"/app/simple/{name}/").status == 404:
        return []
    return list(server.page(f"/app/simple/{name}/")["versions"])


# names


def test_a_name_taken_over_by_a_pattern_stays_owned_when_the_pattern_goes(
    bonded: Bonded, server: Server, upstream: Upstream
) -> None:
    upstream.add(wheel("acme-core", "9.0"))
    assert versions(server, "acme-core") == ["9.0"]
    bonded.run("claim", "add", "--feed", "app", "--take-over", "acme-*")
    dist, token = wheel("acme-core", "1.0"), bonded.token("app")
    assert upload(server, "/app/legacy/", dist.filename, dist.body, token).status == 200
    bonded.run("claim", "remove", "--feed", "app", "acme-*")
    asked = len(upstream.log)
    assert versions(server, "acme-core") == ["1.0"]
    assert len(upstream.log) == asked


def test_a_name_of_a_feed_behind_is_its_own_whatever_stands_before_it(
    bonded: Bonded, server: Server, upstream: Upstream
) -> None:
    upstream.add(wheel("acme-core", "9.0"), wheel("public", "2.0"))
    bonded.run("claim", "add", "--feed", "base", "acme-*")
    assert versions(server, "acme-core") == []
    dist, token = wheel("acme-core", "1.0"), bonded.token("base")
    assert upload(server, "/base/legacy/", dist.filename, dist.body, token).status == 200
    assert versions(server, "acme-core") == ["1.0"]
    assert bonded.json("explain", "app", "acme-core")["lines"][0]["shown"]
    bonded.run("delete", "--feed", "base", "acme-core==1.0")
    assert versions(server, "acme-core") == []
    assert upstream.asked("acme") == []
    assert versions(server, "public") == ["2.0"]
    bonded.run("claim", "remove", "--feed", "base", "acme-core", "acme-*")
    assert versions(server, "acme-core") == ["9.0"]


def test_a_name_that_a_feed_behind_comes_to_own_is_asked_for_no_more(
    bonded: Bonded, server: Server, upstream: Upstream
) -> None:
    upstream.add(wheel("acme-core", "9.0"))
    assert versions(server, "acme-core") == ["9.0"]
    bonded.run("claim", "add", "--feed", "base", "acme-core")
    asked = len(upstream.log)
    assert versions(server, "acme-core") == []
    path = "/app/files/acme-core/acme_core-9.0-py3-none-any.whl"
    assert server.get(path).status == server.get(path + ".metadata").status == 404
    assert len(upstream.log) == asked


def test_a_quarantine_behind_holds_in_front_too(bonded: Bonded, server: Server) -> None:
    dist, token = wheel("corp-tool", "1.0"), bonded.token("base")
    assert upload(server, "/base/legacy/", dist.filename, dist.body, token).status == 200
    bonded.run("claim", "add", "--all-feeds", "corp-*")
    assert versions(server, "corp-tool") == ["1.0"]
    bonded.run("project", "status", "--feed", "base", "corp-tool", "quarantined")
    assert versions(server, "corp-tool") == []
    assert server.get(f"/app/files/corp-tool/{dist.filename}").status == 403
    bonded.run("project", "status", "--feed", "base", "corp-tool", "active")
    assert versions(server, "corp-tool") == ["1.0"]


# requests


@pytest.mark.parametrize("path", ["/app", "/app/nothing", "/app@view/simple/", "/a/b/c/d"])
def test_a_wrong_token_is_told_of_wherever_it_goes(server: Server, path: str) -> None:
    headers = {"Authorization": "Bearer nobody"}
    assert server.request("GET", path, headers=headers).status == 401
    assert server.get(path).status == 404


def test_a_name_that_none_can_have_is_not_asked_for(server: Server, upstream: Upstream) -> None:
    assert server.get(f"/app/simple/{'a' * 9000}/").status == 404
    assert upstream.log == []


def test_nobody_else_reads_the_data_folder(bonded: Bonded) -> None:
    bonded.run("feed", "list")
    assert bonded.data.stat().st_mode & 0o077 == 0


def test_a_range_of_a_head_is_ignored(bonded: Bonded, server: Server) -> None:
    dist, token = wheel("acme"), bonded.token("app")
    assert upload(server, "/app/legacy/", dist.filename, dist.body, token).status == 200
    path = f"/app/files/acme/{dist.filename}"
    reply = server.request("HEAD", path, headers={"Range": "bytes=0-1"})
    assert (reply.status, reply.headers["content-length"]) == (200, str(len(dist.body)))


def test_what_was_not_verified_is_not_to_be_kept(server: Server, upstream: Upstream) -> None:
    good, bad = wheel("good", "1.0"), wheel("bad", "1.0")
    upstream.add(good, bad)
    upstream.listed_sha[bad.filename] = "0" * 64
    part = server.get(f"/app/files/good/{good.filename}", Range="bytes=-100")
    assert (part.status, part.body) == (206, good.body[-100:])
    assert part.headers["cache-control"] == "no-store"
    assert "etag" not in part.headers
    whole = server.get(f"/app/files/good/{good.filename}", Range="bytes=0-")
    assert (whole.status, whole.body) == (206, good.body)
    assert whole.headers["etag"] == f'"{good.sha256}"'
    assert server.get(f"/app/files/bad/{bad.filename}", Range="bytes=0-").status == 502


# what is known of an upstream


async def test_what_was_saved_is_shown_alone_only_while_the_upstream_fails(
    catalog: SqliteCatalog, clock: FixedClock
) -> None:
    feed = await a_feed(catalog, "http://upstream.example/")
    file = a_file("acme-1.0.tar.gz", kind=Kind.SAVED)

    def hold(tx: Transaction) -> None:
        tx.projects.put(feed, ACME, Kind.UPSTREAM)
        tx.files.add(feed, Row(file=file, blob=file.sha256 or "", kind=Kind.SAVED))

    await catalog.write(hold)
    project = await Saved(MemoryIndex(problem=DOWN), feed, catalog, clock).project(ACME)
    assert [f.filename for f in project.files] == [file.filename]
    assert project.basis.valid_until == clock() + RESTING


@pytest.mark.parametrize("before", [[GONE], [PAGE, GONE]])
async def test_that_there_was_nothing_is_not_believed_of_an_upstream_that_fails(
    catalog: SqliteCatalog, clock: FixedClock, before: list[Answer]
) -> None:
    feed = await a_feed(catalog, "http://upstream.example/")
    remote = FakeRemote([*before, DOWN, DOWN])
    index = Cached(remote, feed.upstreams[0].id, catalog, clock, Flights())
    for _ in before:
        last = await index.project(ACME)
        clock.move(seconds=ABSENT.total_seconds() + timedelta(hours=1).total_seconds())
    assert last.absent
    for _ in range(2):
        with pytest.raises(Unavailable):
            await index.project(ACME)


async def test_names_that_nobody_has_leave_nothing_behind(
    catalog: SqliteCatalog, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bonded.views import cached

    monkeypatch.setattr(cached, "REMEMBERED", 5)
    feed = await a_feed(catalog, "http://upstream.example/")
    names = [NormalizedName(f"random-{n}") for n in range(20)]
    remote = FakeRemote([Answer(project=Project(name=n, absent="no")) for n in names])
    index = Cached(remote, feed.upstreams[0].id, catalog, clock, Flights())
    for name in names:
        assert (await index.project(name)).absent
        assert (await index.project(name)).absent
    assert len(remote.asked) == len(names)
    assert len(index.flights.absent) == 5
    number = feed.upstreams[0].id
    held = await catalog.read(lambda tx: [tx.listings.get(number, n) for n in names])
    assert held == [None] * len(names)


# settings


async def test_a_page_made_while_the_settings_changed_is_made_again(
    bonded: Bonded, upstream: Upstream
) -> None:
    upstream.add(wheel("thing", "9.0"))
    bonded.run("feed", "create", "team", "--upstream", upstream.url, "--public")
    async with rooms(Settings(data=bonded.data, access_log=False)) as opened:
        directory, shelf = opened.directory, opened.pages.shelf
        before = directory.feeds[FeedName("team")]
        # A request has its feed by now, and the settings change under it.
        bonded.run("feed", "set", "team", "--no-upstream")
        with pytest.raises(NotFound):
            await _asked(shelf, before)
            await directory.refresh()
            await _asked(shelf, directory.feeds[FeedName("team")])


async def _asked(shelf: object, feed: Feed) -> None:
    await shelf.project(feed, NormalizedName("thing"))  # type: ignore[attr-defined]


async def test_an_upload_for_a_feed_that_was_deleted_is_not_put_into_its_namesake(
    tmp_path: Path, catalog: SqliteCatalog, clock: FixedClock
) -> None:
    from bonded.blobs.spool import DiskSpool

    old = await a_feed(catalog)
    await FeedAdmin(catalog, "test").delete(old.name, force=True)
    new = await a_feed(catalog)
    spool, blobs, dist = (
        DiskSpool(tmp_path / "spool"),
        LocalBlobs(tmp_path / "blobs"),
        wheel("acme"),
    )
    spooled = spool.new()
    spooled.write(dist.body)
    with pytest.raises(NotFound):
        await Uploads(catalog, blobs, clock).accept(
            old, "test", Incoming(filename=dist.filename, spooled=spooled)
        )
    spooled.close()
    spool.close()
    assert await catalog.read(lambda tx: tx.files.find(new, dist.filename)) is None
    assert list(blobs.keys()) == []


async def test_a_file_deleted_during_a_check_is_no_fault(
    tmp_path: Path, catalog: SqliteCatalog
) -> None:
    feed = await a_feed(catalog)
    files = [replace(a_file(f"acme-{n}.tar.gz", kind=Kind.HOSTED)) for n in (1, 2)]

    def hold(tx: Transaction) -> None:
        tx.projects.put(feed, ACME, Kind.HOSTED)
        for file in files:
            tx.files.add(feed, Row(file=file, blob=file.sha256 or "", kind=Kind.HOSTED))

    await catalog.write(hold)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    check = Check(catalog, LocalBlobs(tmp_path / "blobs"))
    assert len((await check.run(lambda _: None)).faults) == 2
    listed = catalog.read

    async def late(work: object) -> object:
        found = await listed(work)  # type: ignore[arg-type]
        catalog.read = listed  # type: ignore[method-assign]
        await catalog.write(lambda tx: tx.files.remove(feed, files[0], at))
        return found

    catalog.read = late  # type: ignore[method-assign,assignment]
    faults = (await check.run(lambda _: None)).faults
    assert [f.filename for f in faults] == [files[1].filename]


# files of upstreams


@asynccontextmanager
async def answering(
    handler: object, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[HttpIndex, str]]:
    app = web.Application()
    app.router.add_get("/{path:.*}", handler)  # type: ignore[arg-type]
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    session = Web(ssl.create_default_context, "test")
    try:
        yield HttpIndex(Address.of(url), 1, session), url
    finally:
        await session.close()
        await runner.cleanup()


async def test_a_file_called_gzip_encoded_is_taken_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    body = sdist("acme").body
    assert gzip.decompress(body) != body

    async def handler(_request: web.Request) -> web.Response:
        return web.Response(body=body, headers={"Content-Encoding": "gzip"})

    async with answering(handler, monkeypatch) as (index, url):
        artifact = await index.open(url + "acme-1.0.tar.gz")
        assert artifact.size == len(body)
        assert b"".join([part async for part in artifact.read()]) == body


async def test_downloads_that_hang_do_not_keep_pages_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http, "FILES_AT_ONCE", 3)
    gate = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        if not request.path.startswith("/file"):
            return web.Response(text="{}", content_type="application/json", status=404)
        await gate.wait()
        return web.Response(body=b"x")

    async with answering(handler, monkeypatch) as (index, url):
        hanging = [asyncio.create_task(index.open(f"{url}file{n}")) for n in range(40)]
        await asyncio.sleep(0.1)
        answer = await asyncio.wait_for(index.ask(ACME, None), 20)
        assert answer.project is not None
        assert answer.project.absent
        gate.set()
        for artifact in await asyncio.gather(*hanging):
            assert [part async for part in artifact.read()] == [b"x"]


@pytest.mark.parametrize("dist", [wheel("acme"), sdist("acme")])
def test_a_file_cut_short_of_which_nothing_is_known_is_not_kept(dist: Dist) -> None:
    assert complete(io.BytesIO(dist.body), dist.filename)
    assert not complete(io.BytesIO(dist.body[:-30]), dist.filename)


def test_what_ends_early_is_not_kept_for_ever(bonded: Bonded) -> None:
    dist = wheel("acme", extra={"acme/data": bytes(range(256)) * 1000}, stored=True)
    with silent(dist) as (url, cut):
        bonded.run("feed", "create", "team", "--upstream", url, "--public")
        with serving(bonded) as server:
            path = f"/team/files/acme/{dist.filename}"
            cut.append(1000)
            assert server.get(path).status == 502
            cut.clear()
            assert server.get(path).body == dist.body


@contextmanager
def silent(dist: Dist) -> Iterator[tuple[str, list[int]]]:
    """An upstream that says neither hash nor size nor length; how much to send, if not all."""
    cut: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = self.path.endswith("/")
            link = f'<title>Links for acme</title><a href="/f/{dist.filename}">x</a>'
            self.send_response(200)
            self.send_header("Content-Type", "text/html" if page else "application/zip")
            self.end_headers()
            self.wfile.write(link.encode() if page else dist.body[: cut[0] if cut else None])

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/simple/", cut
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
