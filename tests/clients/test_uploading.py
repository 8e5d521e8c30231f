"""twine, uv, poetry, hatch and flit upload to a private feed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.clients.installers import UVS
from support.clients.machine import Done, Machine, with_user
from support.clients.place import Place, placed
from support.clients.uploaders import UPLOADERS, Release

ALIASES = ("/acme/analytics/_packaging/team/pypi/upload/", "/acme/_packaging/team/pypi/upload/")
#: These show the status alone, whatever the answer says.
SILENT = ("hatch", "flit")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Two private feeds that only host."""
    with placed(tmp_path_factory.mktemp("uploading")) as place:
        place.feed("team")
        place.feed("other")
        yield place


@pytest.fixture
def release(machine: Machine, tmp_path: Path, request: pytest.FixtureRequest) -> Release:
    """A release of a project that is the test's own."""
    name = "".join(c if c.isalnum() else "-" for c in request.node.name.lower()).strip("-")
    built = Release(machine, tmp_path / "project", f"acme-{name}".replace("--", "-"))
    built.build("first")
    return built


def legacy(place: Place, feed: str = "team") -> str:
    return f"{place.server.url}/{feed}/legacy/"


def listed(place: Place, release: Release) -> dict[str, str]:
    """The page's files and their hashes; none while the project is unknown."""
    path = f"/team/simple/{release.name}/"
    if place.server.get(path, place.token("team")).status == 404:
        return {}
    return {n: f["hashes"]["sha256"] for n, f in place.page("team", release.name).items()}


def on_disk(release: Release) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in release.files}


def says(done: Done, words: str) -> bool:
    """Whether the output has these words, however it is wrapped."""
    return "".join(words.split()) in "".join(done.output.split())


@pytest.mark.parametrize("client", UPLOADERS)
def test_uploads_once_and_again_but_nothing_else_by_that_name(
    place: Place, release: Release, client: str
) -> None:
    send, token = UPLOADERS[client], place.token("team", "write")
    if client == "flit":
        # It builds its files itself.
        for path in release.files:
            path.unlink()
    send(release, legacy(place), token).succeeded()
    first = listed(place, release)
    assert first == on_disk(release)
    assert {n.rpartition(".")[2] for n in first} == {"whl", "gz"}

    send(release, legacy(place), token).succeeded()
    assert listed(place, release) == first

    release.build("second")
    changed = send(release, legacy(place), token).failed()
    assert says(changed, "409" if client in SILENT else "File already exists")
    assert token not in changed.output
    assert listed(place, release) == first


@pytest.mark.parametrize(
    ("wrong", "status", "words"),
    [
        ("unknown", 401, "This token is not known here."),
        ("revoked", 401, "revoked"),
        ("read", 403, "this needs write"),
        ("foreign", 403, "is not for the feed team"),
    ],
)
@pytest.mark.parametrize("client", UPLOADERS)
def test_a_wrong_token_is_refused_in_words_that_do_not_tell_it(
    place: Place, release: Release, client: str, wrong: str, status: int, words: str
) -> None:
    token = tokens(place)[wrong]
    start = place.log_length()
    done = UPLOADERS[client](release, legacy(place), token).failed()
    assert token not in done.output
    assert says(done, str(status) if client in SILENT else words)
    posts = [line for line in place.log_since(start) if line.startswith("POST")]
    assert posts
    assert {line.split()[-1] for line in posts} == {str(status)}
    assert listed(place, release) == {}


def tokens(place: Place) -> dict[str, str]:
    """Tokens that may not upload to `team`."""
    revoked = place.bonded.token("team")
    place.bonded.run("token", "revoke", revoked)
    unknown = place.token("team", "write")[:-1]
    unknown += "A" if place.token("team", "write")[-1] != "A" else "B"
    read, foreign = place.token("team"), place.token("other", "write")
    return {"unknown": unknown, "revoked": revoked, "read": read, "foreign": foreign}


@pytest.mark.parametrize("client", ["twine-old", "twine", "uv-old", "uv"])
@pytest.mark.parametrize("alias", ALIASES)
def test_the_upload_paths_of_azure_artifacts(
    place: Place, release: Release, client: str, alias: str
) -> None:
    url = place.server.url + alias
    UPLOADERS[client](release, url, place.token("team", "write")).succeeded()
    assert listed(place, release) == on_disk(release)


@pytest.mark.parametrize("client", UVS)
@pytest.mark.parametrize("check", ["/team/simple/", "/acme/_packaging/team/pypi/simple/"])
def test_uv_checks_what_is_there_before_it_sends(
    place: Place, release: Release, client: str, check: str
) -> None:
    token = place.token("team", "write")
    url = with_user(place.server.url + check, "__token__", token)

    def publish() -> Done:
        line = (client, "publish", "--publish-url", legacy(place), "--check-url", url)
        return release.run(*line, *release.paths(), UV_PUBLISH_TOKEN=token)

    # Old ones fail at a name that is not there yet, with --check-url.
    (publish() if client == "uv" else UPLOADERS[client](release, legacy(place), token)).succeeded()
    assert listed(place, release) == on_disk(release)
    start = place.log_length()
    publish().succeeded()
    assert [line for line in place.log_since(start) if line.startswith("POST")] == []
    first = listed(place, release)
    release.build("second")
    assert token not in publish().failed().output
    assert listed(place, release) == first


def test_old_twine_skips_what_is_there(place: Place, release: Release) -> None:
    token = place.token("team", "write")
    UPLOADERS["twine-old"](release, legacy(place), token).succeeded()
    release.build("second")
    line = ("twine-old", "upload", "--skip-existing", "--repository-url", legacy(place))
    login = {"TWINE_USERNAME": "__token__", "TWINE_PASSWORD": token}
    done = release.run(*line, *release.paths(), **login).succeeded()
    assert says(done, "already exist")


def test_twine_takes_the_token_from_pypirc_under_any_username(
    place: Place, release: Release
) -> None:
    token = place.token("team", "write")
    (release.machine.home / ".pypirc").write_text(
        "[distutils]\nindex-servers = team\n\n"
        f"[team]\nrepository = {legacy(place)}\nusername = anyone\npassword = {token}\n"
    )
    release.run("twine", "upload", "-r", "team", *release.paths()).succeeded()
    assert listed(place, release) == on_disk(release)
