"""pip and uv of two generations install from a private feed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.clients.installers import PIPS, Installer, installed
from support.clients.machine import Machine, with_user
from support.clients.place import Place, placed, upstreams
from support.dists import wheel
from support.upstream import Upstream

APP = wheel("acme-app", requires=("dep-a>=1", "dep-b"))
DEP_A, DEP_B = wheel("dep-a", "1.4"), wheel("dep-b", "0.9")
ALL = {"acme_app-1.0", "dep_a-1.4", "dep_b-0.9"}
HOSTED = (
    APP,
    wheel("acme-cuda", "1.0"),
    wheel("acme-cuda", "1.0+cu121"),
    wheel("acme-epoch", "2023.1"),
    wheel("acme-epoch", "1!2.0"),
    wheel("acme-yanked", "1.0"),
    wheel("acme-yanked", "1.1"),
    wheel("acme-python", "1.0", python=">=3.8,<4"),
    wheel("acme-python", "2.0", python=">=4"),
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The feed `team` before an upstream of today, and `plain` before one that has only HTML."""
    modern, plain = Upstream([DEP_A, DEP_B]), Upstream([DEP_A, DEP_B], form="html")
    with upstreams(modern, plain), placed(tmp_path_factory.mktemp("installing")) as place:
        place.feed("team", modern.url)
        place.feed("plain", plain.url)
        place.upload("team", *HOSTED)
        place.upload("plain", APP)
        place.bonded.run("yank", "--feed", "team", "acme-yanked==1.1", "--reason", "broken")
        yield place


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "home" / "target"


@pytest.mark.parametrize("feed", ["team", "plain"])
def test_a_private_package_and_what_it_needs_from_the_upstream(
    place: Place, installer: Installer, target: Path, feed: str
) -> None:
    installer.install(place.index(feed), "acme-app").succeeded()
    assert installed(target) == ALL
    assert (target / "acme_app" / "__init__.py").read_text() == "__version__ = '1.0'\n"


@pytest.mark.parametrize("how", ["netrc", "username", "bare username"])
def test_where_the_token_may_be(place: Place, installer: Installer, target: Path, how: str) -> None:
    url, token = place.plain_index("team"), place.token("team")
    if how == "netrc":
        installer.machine.netrc(url, token)
    else:
        url = with_user(url, token, "" if how == "username" else None)
    installer.install(url, "acme-app").succeeded()
    assert installed(target) == ALL


@pytest.mark.parametrize("token", [None, "bnd_wrong", "foreign"])
def test_a_private_feed_refuses(
    place: Place, installer: Installer, target: Path, token: str | None
) -> None:
    given = place.token("plain") if token == "foreign" else token
    url = place.plain_index("team")
    start = place.log_length()
    done = installer.install(with_user(url, "u", given) if given else url, "acme-app").failed()
    assert installed(target) == set()
    statuses = {line.split()[-1] for line in place.log_since(start)}
    assert statuses == ({"403"} if token == "foreign" else {"401"})
    assert given is None or given not in done.output


def test_local_versions_and_epochs(place: Place, installer: Installer, target: Path) -> None:
    installer.install(place.index("team"), "acme-cuda==1.0+cu121", "acme-epoch").succeeded()
    assert installed(target) == {"acme_cuda-1.0+cu121", "acme_epoch-1!2.0"}


def test_a_yanked_release_is_taken_on_an_exact_pin_only(
    place: Place, installer: Installer, tmp_path: Path
) -> None:
    index = place.index("team")
    installer.install(index, "acme-yanked", target=tmp_path / "any").succeeded()
    assert installed(tmp_path / "any") == {"acme_yanked-1.0"}
    pinned = installer.install(index, "acme-yanked==1.1", target=tmp_path / "pinned").succeeded()
    assert installed(tmp_path / "pinned") == {"acme_yanked-1.1"}
    assert "broken" in pinned.output


def test_requires_python_is_honoured(place: Place, installer: Installer, target: Path) -> None:
    installer.install(place.index("team"), "acme-python").succeeded()
    assert installed(target) == {"acme_python-1.0"}
    installer.install(place.index("team"), "acme-python==2.0").failed()


def test_hashes_are_required(place: Place, installer: Installer, tmp_path: Path) -> None:
    pins = [f"{d.filename.split('-')[0]}=={d.filename.split('-')[1]}" for d in (APP, DEP_A, DEP_B)]
    hashes = [d.sha256 for d in (APP, DEP_A, DEP_B)]
    good, bad = tmp_path / "good.txt", tmp_path / "bad.txt"
    lines = [f"{p} --hash=sha256:{h}\n" for p, h in zip(pins, hashes, strict=True)]
    good.write_text("".join(lines))
    bad.write_text("".join(lines).replace(DEP_A.sha256, DEP_B.sha256))
    index, to = place.index("team"), tmp_path / "to"
    installer.install(index, "--require-hashes", "-r", bad, target=tmp_path / "no").failed()
    assert installed(tmp_path / "no") == set()
    installer.install(index, "--require-hashes", "-r", good, target=to).succeeded()
    assert installed(to) == ALL


AZURE = ("/acme/analytics/_packaging/team/pypi/simple/", "/acme/_packaging/team/pypi/simple/")


@pytest.mark.parametrize("path", AZURE)
def test_the_paths_of_azure_artifacts(
    place: Place, installer: Installer, target: Path, path: str
) -> None:
    index = with_user(place.server.url + path, "VssSessionToken", place.token("team"))
    start = place.log_length()
    installer.install(index, "acme-app", "acme-cuda==1.0+cu121").succeeded()
    assert installed(target) == ALL | {"acme_cuda-1.0+cu121"}
    alias = path.removesuffix("simple/")
    assert all(alias in line for line in place.log_since(start))


@pytest.mark.parametrize("client", PIPS)
def test_pip_download_and_index_versions(place: Place, machine: Machine, client: str) -> None:
    options = ("--index-url", place.index("team"))
    to = machine.home / "wheels"
    machine.run(client, "download", *options, "-d", to, "acme-app", "acme-cuda").succeeded()
    assert {p.name for p in to.iterdir()} == {
        d.filename for d in (APP, DEP_A, DEP_B, wheel("acme-cuda", "1.0+cu121"))
    }
    said = machine.run(client, "index", "versions", *options, "acme-epoch").succeeded().output
    assert "1!2.0, 2023.1" in said
