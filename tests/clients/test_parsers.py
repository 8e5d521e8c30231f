"""Independent parsers read our pages: pypi-simple, and simple-repository as of its upstream."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import httpx
import pytest
from pypi_simple import ACCEPT_HTML_ONLY, ACCEPT_JSON_ONLY, ProjectPage, PyPISimple
from simple_repository.components.http import HttpRepository
from simple_repository.model import File, HttpResource

from support.clients.place import Dated, Place, placed, upstreams
from support.dists import Dist, sdist, wheel

PLAIN, LOCAL = wheel("acme-lib", "1.0", python=">=3.8,<4"), wheel("acme-lib", "1.0+cu121")
EPOCH, SOURCE = wheel("acme-lib", "1!2.0"), sdist("acme-lib", "1.0")
YANKED = wheel("acme-lib", "0.9")
HOSTED = {d.filename: d for d in (PLAIN, LOCAL, EPOCH, SOURCE, YANKED)}
REASON = 'broken <b>& "bad"'
AWAY, AWAY_OLD = wheel("dep-a", "1.5"), wheel("dep-a", "1.0")
DAY = "2024-05-06T07:08:09.123456Z"
NAMES = {"acme-lib", "acme-old", "acme-held", "dep-a"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A feed with a project of every kind, and `plain` before an HTML upstream without sizes."""
    dated = Dated([AWAY, AWAY_OLD], times={AWAY.filename: DAY}, yanked={AWAY_OLD.filename: ""})
    plain = Dated([AWAY], form="html", hashes=False)
    with upstreams(dated, plain), placed(tmp_path_factory.mktemp("parsers")) as place:
        place.feed("team", dated.url)
        place.feed("plain", plain.url)
        place.upload("team", *HOSTED.values(), wheel("acme-old"), wheel("acme-held"))
        run, feed = place.bonded.run, ("--feed", "team")
        run("yank", *feed, "acme-lib==0.9", "--reason", REASON)
        run("project", "status", *feed, "acme-old", "archived", "--reason", REASON)
        run("project", "status", *feed, "acme-held", "quarantined")
        file = f"/team/files/dep-a/{AWAY.filename}"
        assert place.server.get("/team/simple/dep-a/", place.token("team")).status == 200
        assert place.server.get(file, place.token("team")).status == 200
        yield place


@pytest.fixture(params=[ACCEPT_JSON_ONLY, ACCEPT_HTML_ONLY], ids=["json", "html"])
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def simple(place: Place, form: str) -> Iterator[PyPISimple]:
    """pypi-simple, with the token as the password."""
    login = ("__token__", place.token("team"))
    with PyPISimple(place.plain_index("team"), auth=login, accept=form) as client:
        yield client


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def check_page(page: ProjectPage, *, is_json: bool) -> None:
    packages = {p.filename: p for p in page.packages}
    assert packages.keys() == HOSTED.keys()
    for filename, dist in HOSTED.items():
        package = packages[filename]
        assert package.project == "acme_lib"
        assert package.digests == {"sha256": dist.sha256}
        described = {"sha256": digest(dist.metadata)} if filename.endswith(".whl") else None
        assert package.metadata_digests == described
        assert package.is_yanked is (dist is YANKED)
        assert package.size == (len(dist.body) if is_json else None)
        assert (package.upload_time is not None) is is_json
    assert packages[YANKED.filename].yanked_reason == REASON
    assert packages[PLAIN.filename].requires_python in (">=3.8,<4", "<4,>=3.8")
    assert packages[LOCAL.filename].version == "1.0+cu121"
    assert packages[EPOCH.filename].version == "1!2.0"


def test_pypi_simple_reads_a_project_page(simple: PyPISimple, form: str) -> None:
    page = simple.get_project_page("Acme_Lib")
    assert page.repository_version == "1.4"
    check_page(page, is_json=form == ACCEPT_JSON_ONLY)
    if form == ACCEPT_JSON_ONLY:
        assert set(page.versions or ()) == {"1.0", "1.0+cu121", "1!2.0", "0.9"}


def test_pypi_simple_fetches_files_and_metadata(simple: PyPISimple, form: str) -> None:
    for package in simple.get_project_page("acme-lib").packages:
        dist = HOSTED[package.filename]
        reply = simple.s.get(package.url)
        assert (reply.status_code, reply.content) == (200, dist.body)
        if package.has_metadata:
            assert simple.get_package_metadata_bytes(package) == dist.metadata


def test_pypi_simple_reads_the_root(simple: PyPISimple) -> None:
    page = simple.get_index_page()
    assert page.repository_version == "1.4"
    assert set(page.projects) == NAMES


def test_pypi_simple_reads_statuses(simple: PyPISimple) -> None:
    old, held = simple.get_project_page("acme-old"), simple.get_project_page("acme-held")
    assert (str(old.status), old.status_reason) == ("archived", REASON)
    assert len(old.packages) == 1
    assert (str(held.status), held.packages) == ("quarantined", [])


def test_pypi_simple_reads_what_comes_from_an_upstream(simple: PyPISimple, form: str) -> None:
    packages = {p.filename: p for p in simple.get_project_page("dep-a").packages}
    assert packages.keys() == {AWAY.filename, AWAY_OLD.filename}
    assert packages[AWAY_OLD.filename].is_yanked
    assert packages[AWAY.filename].digests == {"sha256": AWAY.sha256}
    assert packages[AWAY.filename].metadata_digests == {"sha256": digest(AWAY.metadata)}
    if form == ACCEPT_JSON_ONLY:
        when = datetime(2024, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)
        assert packages[AWAY.filename].upload_time == when


def test_pypi_simple_reads_a_page_without_hashes_and_sizes(place: Place, form: str) -> None:
    login = ("__token__", place.token("plain"))
    with PyPISimple(place.plain_index("plain"), auth=login, accept=form) as client:
        page = client.get_project_page("dep-a")
        (package,) = page.packages
        assert (package.filename, package.digests) == (AWAY.filename, {})
        if form == ACCEPT_JSON_ONLY:
            assert page.repository_version == "1.0"


class OnlyHtml(httpx.AsyncClient):
    """Asks for HTML, whatever else its user would take."""

    async def get(self, *arguments: object, **options: object) -> httpx.Response:  # type: ignore[override]
        options["headers"] = {"Accept": "text/html"}
        return await super().get(*arguments, **options)  # type: ignore[arg-type]


@pytest.fixture
async def repository(place: Place, form: str) -> AsyncIterator[HttpRepository]:
    """simple-repository's upstream side, with the token as the password."""
    kind = httpx.AsyncClient if form == ACCEPT_JSON_ONLY else OnlyHtml
    login = ("__token__", place.token("team"))
    async with kind(auth=login, follow_redirects=True, trust_env=False) as client:
        yield HttpRepository(place.plain_index("team"), http_client=client)


def check_file(file: File, dist: Dist, *, is_json: bool) -> None:
    assert file.hashes == {"sha256": dist.sha256}
    described = {"sha256": digest(dist.metadata)} if dist.filename.endswith(".whl") else None
    assert file.dist_info_metadata == described
    assert (file.yanked or None) == (REASON if dist is YANKED else None)
    assert file.size == (len(dist.body) if is_json else None)
    assert (file.upload_time is not None) is is_json


async def test_simple_repository_reads_a_project_page(
    repository: HttpRepository, form: str
) -> None:
    page = await repository.get_project_page("acme-lib")
    files = {f.filename: f for f in page.files}
    assert files.keys() == HOSTED.keys()
    for filename, dist in HOSTED.items():
        check_file(files[filename], dist, is_json=form == ACCEPT_JSON_ONLY)
    assert files[PLAIN.filename].requires_python in (">=3.8,<4", "<4,>=3.8")
    if form == ACCEPT_JSON_ONLY:
        assert page.meta.api_version == "1.4"
        assert page.versions == {"1.0", "1.0+cu121", "1!2.0", "0.9"}


async def test_simple_repository_finds_files_and_metadata(
    place: Place, repository: HttpRepository
) -> None:
    for filename, dist in HOSTED.items():
        assert await fetched(place, repository, filename) == dist.body
        if filename.endswith(".whl"):
            assert await fetched(place, repository, f"{filename}.metadata") == dist.metadata


async def fetched(place: Place, repository: HttpRepository, filename: str) -> bytes:
    resource = await repository.get_resource("acme-lib", filename)
    assert isinstance(resource, HttpResource)
    path = resource.url.removeprefix(place.server.url)
    return place.server.get(path, place.token("team")).body


async def test_simple_repository_reads_the_root_and_statuses(repository: HttpRepository) -> None:
    root = await repository.get_project_list()
    assert {p.normalized_name for p in root.projects} == NAMES
    assert (await repository.get_project_page("acme-held")).files == ()
    assert len((await repository.get_project_page("acme-old")).files) == 1
    assert len((await repository.get_project_page("dep-a")).files) == 2
