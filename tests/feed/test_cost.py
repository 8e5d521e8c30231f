"""What a request costs does not depend on how much there is: statements, their work, and bytes.

The application runs in this process. `Meter` counts what SQLite is asked on every connection, and
the steps of its machine, which grow with the rows that are looked at.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import event

from bonded.app.folder import now, open_folder
from bonded.app.worker import rooms as opening
from bonded.catalog.engine import SqliteCatalog
from bonded.model.feeds import Claim, UpstreamSpec
from bonded.model.files import Kind
from bonded.model.names import FeedName, Pattern
from bonded.model.tokens import Scope
from bonded.operations.feeds import FeedAdmin
from bonded.operations.tokens import TokenAdmin
from bonded.ports import Row, Transaction
from bonded.settings import Settings
from bonded.testing import FixedClock
from bonded.views.cached import SHORTEST
from bonded.web.front import Front, Rooms
from support.dists import sdist, wheel
from support.serving import form
from support.upstream import Upstream
from support.values import a_file

JSON = {"Accept": "application/vnd.pypi.simple.v1+json", "Accept-Encoding": "gzip"}
HTML = {"Accept": "text/html", "Accept-Encoding": "gzip"}
TEAM = FeedName("team")
#: A tree of 1,000 entries is a level deeper than one of a few: steps may differ by so much.
DEEPER = 1.25


@dataclass
class Meter:
    """Statements, and steps of SQLite's machine, on all connections of a worker."""

    statements: list[str] = field(default_factory=list)
    steps: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def attach(self, rooms: Rooms) -> None:
        catalog = rooms.pages.shelf.uow
        assert isinstance(catalog, SqliteCatalog)
        for engine in (catalog._reading, catalog._writing):
            event.listen(engine, "checkout", self._checkout)
        self._watch(rooms.directory.freshness.connection)  # type: ignore[attr-defined]

    def _checkout(self, connection: Any, _record: object, _proxy: object) -> None:
        self._watch(connection)

    def _watch(self, connection: Any) -> None:
        connection.set_trace_callback(self._statement)
        connection.set_progress_handler(self._step, 1)

    def _statement(self, text: str) -> None:
        with self.lock:
            # Words only: the values that were bound are part of the text.
            self.statements.append(" ".join(text.split()[:4]))

    def _step(self) -> int:
        with self.lock:
            self.steps += 1
        return 0


@dataclass(frozen=True)
class Cost:
    """What something took."""

    statements: list[str]
    steps: int
    rendered: float
    pages: float


@dataclass
class Worker:
    """The application in this process, a client of it, and the meter."""

    rooms: Rooms
    client: httpx.AsyncClient
    token: str
    meter: Meter

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.client.get(path, auth=("u", self.token), headers=headers)

    async def upload(self, filename: str, content: bytes) -> httpx.Response:
        body, headers = form(filename, content)
        return await self.client.post(
            "/team/legacy/", auth=("u", self.token), headers=headers, content=body
        )

    async def write(self, work: Callable[[Transaction], object]) -> None:
        await self.rooms.pages.shelf.uow.write(work)

    async def cost(self, what: Callable[[], Awaitable[httpx.Response]], status: int = 200) -> Cost:
        before = self.rendered()
        self.meter.statements.clear()
        self.meter.steps = 0
        response = await what()
        assert response.status_code == status, response.text
        after = self.rendered()
        return Cost(
            list(self.meter.statements),
            self.meter.steps,
            after[0] - before[0],
            after[1] - before[1],
        )

    def rendered(self) -> tuple[float, float]:
        """Bytes and pages rendered so far, as /metrics has them."""
        lines = (line.split() for line in self.rooms.journal.metrics().decode().splitlines())
        counted = {line[0]: float(line[1]) for line in lines if len(line) == 2}
        return counted["bonded_rendered_bytes_total"], counted["bonded_pages_rendered_total"]


@asynccontextmanager
async def working(folder: Path, *upstreams: str) -> AsyncIterator[Worker]:
    """A worker with the feed `team`."""
    opened = open_folder(folder)
    specs = [UpstreamSpec.parse(text) for text in upstreams]
    await FeedAdmin(opened.catalog, "test").create(TEAM, False, specs)
    tokens = TokenAdmin(opened.catalog, now, "test")
    token, _ = await tokens.create([TEAM], Scope.WRITE, None, "t")
    opened.close()
    settings = Settings(data=folder, access_log=False)
    async with opening(settings) as rooms:
        meter = Meter()
        meter.attach(rooms)
        front = Front(lambda: None)  # type: ignore[arg-type, return-value]
        front._rooms = rooms
        transport = httpx.ASGITransport(front, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield Worker(rooms, client, token, meter)


def releases(project: str, count: int) -> Callable[[Transaction], None]:
    """Rows of so many files; their bytes are not asked for."""

    def work(tx: Transaction) -> None:
        feed = tx.feeds.get(TEAM)
        for number in range(count):
            file = a_file(f"{project}-0.{number}.tar.gz", kind=Kind.HOSTED)
            assert file.sha256 is not None
            tx.projects.put(feed, file.project, Kind.HOSTED)
            tx.files.add(feed, Row(file=file, blob=file.sha256, kind=Kind.HOSTED))

    return work


async def projects(worker: Worker, count: int) -> None:
    """So many projects, each uploaded, so that each has its claim and its page."""

    def work(tx: Transaction) -> None:
        feed = tx.feeds.get(TEAM)
        for number in range(count):
            name = f"project{number:05}"
            releases(name, 1)(tx)
            claim = Claim(pattern=Pattern(name), feed=TEAM, why="by upload", at=now())
            tx.claims.add(feed, claim)

    await worker.write(work)


PATHS = {
    "page, JSON": ("/team/simple/acme/", JSON),
    "page, HTML": ("/team/simple/acme/", HTML),
    "page, plain": ("/team/simple/acme/", {"Accept-Encoding": "identity"}),
    "file": ("/team/files/acme/acme-9.0-py3-none-any.whl", {}),
    "metadata": ("/team/files/acme/acme-9.0-py3-none-any.whl.metadata", {}),
    "root": ("/team/simple/", JSON),
}
WHEEL = wheel("acme", "9.0")


async def hits(folder: Path, *, files: int = 0, others: int = 0) -> dict[str, Cost]:
    """What each path costs when it was asked for before."""
    found = {}
    async with working(folder) as worker:
        assert (await worker.upload(WHEEL.filename, WHEEL.body)).status_code == 200
        await worker.write(releases("acme", files))
        await projects(worker, others)
        for name, (path, headers) in PATHS.items():
            for _ in range(2):
                assert (await worker.get(path, **headers)).status_code == 200
            found[name] = await worker.cost(lambda p=path, h=headers: worker.get(p, **h))  # type: ignore[misc]
            # Something else was committed meanwhile, so it is asked whether the page still holds.
            await worker.write(lambda tx: tx.revisions.bump("something else"))
            after = f"{name}, after a commit"
            found[after] = await worker.cost(lambda p=path, h=headers: worker.get(p, **h))  # type: ignore[misc]
    return found


async def test_the_meter_sees_work_that_grows(tmp_path: Path) -> None:
    """A guard: making a page, unlike sending it, is work for each of its files."""
    costs = []
    for files in (1, 500):
        async with working(tmp_path / str(files)) as worker:
            await worker.upload(WHEEL.filename, WHEEL.body)
            await worker.write(releases("acme", files))
            costs.append(await worker.cost(lambda w=worker: w.get("/team/simple/acme/", **JSON)))  # type: ignore[misc]
    few, many = costs
    assert many.steps > 10 * few.steps
    assert many.rendered > 10 * few.rendered


async def test_a_hit_costs_the_same_however_many_files(tmp_path: Path) -> None:
    few, many = await hits(tmp_path / "few"), await hits(tmp_path / "many", files=500)
    for name in few:
        assert many[name].statements == few[name].statements, name
        assert many[name].steps <= few[name].steps * DEEPER, name
        assert many[name].rendered == many[name].pages == 0, name


async def test_a_hit_costs_the_same_however_many_projects(tmp_path: Path) -> None:
    few, many = await hits(tmp_path / "few"), await hits(tmp_path / "many", others=1000)
    for name in few:
        assert many[name].statements == few[name].statements, name
        assert many[name].steps <= few[name].steps * DEEPER, name
        assert many[name].rendered == many[name].pages == 0, name


async def test_a_page_or_a_file_that_is_at_hand_takes_one_statement(tmp_path: Path) -> None:
    found = await hits(tmp_path, files=5)
    for name in ("page, JSON", "page, HTML", "page, plain", "file", "root"):
        assert found[name].statements == ["PRAGMA data_version"], name


async def uploads(
    folder: Path, *, files: int = 0, others: int = 0, known: bool = True
) -> dict[str, Cost]:
    """What an upload costs: of a new file, of the same again, and of an sdist beside it."""
    async with working(folder) as worker:
        if known:
            first = sdist("acme", "8.0")
            assert (await worker.upload(first.filename, first.body)).status_code == 200
        await worker.write(releases("acme", files))
        await projects(worker, others)
        # Pages that were asked for are stored, and an upload must not touch them.
        await worker.get("/team/simple/", **JSON)
        if known:
            await worker.get("/team/simple/acme/", **JSON)
        await worker.upload("other-1.0.tar.gz", sdist("other").body)
        return {
            "new": await worker.cost(lambda: worker.upload(WHEEL.filename, WHEEL.body)),
            "again": await worker.cost(lambda: worker.upload(WHEEL.filename, WHEEL.body)),
        }


@pytest.mark.parametrize("more", [{"files": 500}, {"others": 1000}], ids=["files", "projects"])
async def test_an_upload_costs_the_same_however_much_there_is(
    tmp_path: Path, more: dict[str, int]
) -> None:
    few, many = await uploads(tmp_path / "few"), await uploads(tmp_path / "many", **more)
    for name in few:
        assert many[name].statements == few[name].statements, name
        assert many[name].steps <= few[name].steps * DEEPER, name
        assert many[name].rendered == many[name].pages == 0, f"{name}: an upload renders nothing"


async def test_a_page_is_rendered_once_per_change_and_never_by_a_write(tmp_path: Path) -> None:
    async with working(tmp_path) as worker:

        async def page() -> httpx.Response:
            return await worker.get("/team/simple/acme/", **JSON)

        for number in range(3):
            dist = wheel("acme", f"{number}.0")
            upload = await worker.cost(lambda d=dist: worker.upload(d.filename, d.body))  # type: ignore[misc]
            assert upload.pages == 0
            first = await worker.cost(page)
            assert first.pages == 1
            assert first.rendered > 0
            for _ in range(3):
                again = await worker.cost(page)
                assert (again.pages, again.rendered) == (0, 0)


async def test_a_change_of_one_project_renders_no_other(tmp_path: Path) -> None:
    async with working(tmp_path) as worker:
        for name in ("acme", "other"):
            dist = wheel(name)
            await worker.upload(dist.filename, dist.body)
            await worker.get(f"/team/simple/{name}/", **JSON)
        changed = wheel("other", "2.0")
        await worker.upload(changed.filename, changed.body)
        path = "/team/simple/acme/"
        assert (await worker.cost(lambda: worker.get(path, **JSON))).pages == 0
        path = "/team/simple/other/"
        assert (await worker.cost(lambda: worker.get(path, **JSON))).pages == 1


async def test_a_second_worker_takes_the_stored_page(tmp_path: Path) -> None:
    async with working(tmp_path) as first:
        await first.upload(WHEEL.filename, WHEEL.body)
        await first.get("/team/simple/acme/", **JSON)
        settings = Settings(data=tmp_path, access_log=False)
        async with opening(settings) as rooms:
            front = Front(lambda: None)  # type: ignore[arg-type, return-value]
            front._rooms = rooms
            transport = httpx.ASGITransport(front)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                second = Worker(rooms, client, first.token, Meter())
                second.meter.attach(rooms)
                cost = await second.cost(lambda: second.get("/team/simple/acme/", **JSON))
                assert cost.pages == 0


async def test_a_revalidation_that_changed_nothing_renders_nothing(
    tmp_path: Path, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FixedClock()
    for room in ("folder", "upstreams", "worker"):
        monkeypatch.setattr(f"bonded.app.{room}.now", clock)
    upstream.add(*(wheel("pub", f"{n}.0") for n in range(20)))
    async with working(tmp_path, upstream.url) as worker:
        first = await worker.cost(lambda: worker.get("/team/simple/pub/", **JSON))
        assert first.pages == 1
        asked = len(upstream.log)
        for _ in range(3):
            clock.move(seconds=SHORTEST.total_seconds() + 1)
            again = await worker.cost(lambda: worker.get("/team/simple/pub/", **JSON))
            assert again.pages == 0
        assert len(upstream.log) == asked + 3
