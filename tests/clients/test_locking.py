"""Locks and cut-off times; and what was once pulled installs when the upstream is gone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.clients.installers import INSTALLERS, UVS, Installer, installed
from support.clients.machine import Machine
from support.clients.place import Dated, Place, placed, upstreams
from support.dists import wheel
from support.upstream import Upstream, running

APP = wheel("acme-app", requires=("dep-a",))
OLD, NEW = wheel("dep-a", "1.0", requires=("dep-b",)), wheel("dep-a", "1.5", requires=("dep-b",))
LEAF = wheel("dep-b", "0.9")
DAYS = {OLD.filename: "2024-03-01T00:00:00Z", NEW.filename: "2025-06-01T12:30:00.123456Z"}
PROJECT = """
[project]
name = "consumer"
version = "0"
requires-python = ">=3.11"
dependencies = ["acme-app", "acme-cuda==1.0+cu121"]

[[tool.uv.index]]
name = "team"
url = "{url}"
default = true

[tool.uv]
package = false
"""
#: What the project's own pyproject.toml says counts.
CONFIGURED: dict[str, str | None] = {"UV_NO_CONFIG": None}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The feed `team` before an upstream whose files have times of their own."""
    dated = Dated([OLD, NEW, LEAF], times=DAYS)
    with upstreams(dated), placed(tmp_path_factory.mktemp("locking")) as place:
        place.feed("team", dated.url)
        place.upload("team", APP)
        yield place


def compiled(machine: Machine, client: str, index: str, before: str, *names: str) -> list[str]:
    (machine.home / "in.txt").write_text("\n".join(names))
    options = ("--index-url", index, "--exclude-newer", before, "--no-header", "--no-annotate")
    done = machine.run(client, "pip", "compile", "-q", *options, "in.txt")
    return [line for line in done.output.splitlines() if "==" in line] if done.code == 0 else []


@pytest.mark.parametrize("client", UVS)
def test_exclude_newer_goes_by_the_publishers_time(
    place: Place, machine: Machine, client: str
) -> None:
    index = place.index("team")
    old, new = ["dep-a==1.0", "dep-b==0.9"], ["dep-a==1.5", "dep-b==0.9"]
    assert compiled(machine, client, index, "2024-12-31T00:00:00Z", "dep-a") == old
    assert compiled(machine, client, index, "2025-06-01T12:30:00Z", "dep-a") == old
    assert compiled(machine, client, index, "2025-06-01T12:30:01Z", "dep-a") == new
    assert compiled(machine, client, index, "2023-01-01T00:00:00Z", "dep-a") == []
    # What was pulled keeps its publisher's time.
    Installer(client, machine).install(index, "dep-a==1.5").succeeded()
    fresh = Machine(machine.home / "fresh")
    assert compiled(fresh, client, index, "2024-12-31T00:00:00Z", "dep-a") == old


@pytest.mark.parametrize("client", UVS)
def test_exclude_newer_goes_by_the_upload_of_a_hosted_file(
    place: Place, machine: Machine, client: str
) -> None:
    index = place.index("team")
    assert compiled(machine, client, index, "2025-12-31T00:00:00Z", "acme-app") == []
    assert "acme-app==1.0" in compiled(machine, client, index, "2999-01-01T00:00:00Z", "acme-app")


@pytest.mark.parametrize("client", INSTALLERS)
@pytest.mark.parametrize("form", ["json", "html"])
def test_installs_again_when_the_upstream_is_gone(
    place: Place, tmp_path: Path, client: str, form: str
) -> None:
    feed = f"gone-{client}-{form}"
    with running(Upstream([NEW, LEAF], form=form)) as upstream:
        place.feed(feed, upstream.url)
        place.upload(feed, APP)
        before = Installer(client, Machine(tmp_path / "before"))
        before.install(place.index(feed), "acme-app").succeeded()
        first = installed(tmp_path / "before" / "target")
    after = Installer(client, Machine(tmp_path / "after"))
    after.install(place.index(feed), "acme-app").succeeded()
    assert first == installed(tmp_path / "after" / "target")
    assert first == {"acme_app-1.0", "dep_a-1.5", "dep_b-0.9"}


@pytest.mark.parametrize("client", UVS)
def test_uv_locks_a_project_and_syncs_it_when_the_upstream_is_gone(
    place: Place, tmp_path: Path, client: str
) -> None:
    feed = f"project-{client}"
    folder = tmp_path / "consumer"
    folder.mkdir()
    with running(Upstream([NEW, LEAF])) as upstream:
        place.feed(feed, upstream.url)
        place.upload(feed, APP, wheel("acme-cuda", "1.0+cu121"))
        (folder / "pyproject.toml").write_text(PROJECT.format(url=place.plain_index(feed)))
        machine = credentialed(place, feed, tmp_path / "first")
        machine.run(client, "lock", cwd=folder, **CONFIGURED).succeeded()
        lock = (folder / "uv.lock").read_text()
        machine.run(client, "sync", cwd=folder, **CONFIGURED).succeeded()
    assert synced(folder) == {"acme_app-1.0", "acme_cuda-1.0+cu121", "dep_a-1.5", "dep_b-0.9"}
    assert place.token(feed) not in lock
    assert f"{place.server.url}/{feed}/files/dep-a/{NEW.filename}" in lock
    shutil.rmtree(folder / ".venv")
    other = credentialed(place, feed, tmp_path / "second")
    other.run(client, "sync", "--locked", cwd=folder, **CONFIGURED).succeeded()
    assert synced(folder) == {"acme_app-1.0", "acme_cuda-1.0+cu121", "dep_a-1.5", "dep_b-0.9"}
    assert (folder / "uv.lock").read_text() == lock


def credentialed(place: Place, feed: str, home: Path) -> Machine:
    """A machine whose environment has the token for the index named `team`."""
    user, token = "UV_INDEX_TEAM_USERNAME", "UV_INDEX_TEAM_PASSWORD"
    return Machine(home, {user: "__token__", token: place.token(feed)})


def synced(folder: Path) -> set[str]:
    (packages,) = (folder / ".venv" / "lib").glob("python*/site-packages")
    return installed(packages)


POETRY = """
[project]
name = "consumer"
version = "0"
requires-python = ">=3.11,<4"
dependencies = ["acme-app (>=1)", "acme-cuda (==1.0+cu121)"]

[tool.poetry]
package-mode = false

[[tool.poetry.source]]
name = "team"
url = "{url}"
priority = "primary"
"""


def test_poetry_locks_a_project_and_syncs_it_when_the_upstream_is_gone(
    place: Place, tmp_path: Path
) -> None:
    folder = tmp_path / "consumer"
    folder.mkdir()
    with running(Upstream([NEW, LEAF])) as upstream:
        place.feed("poetry", upstream.url)
        place.upload("poetry", APP, wheel("acme-cuda", "1.0+cu121"))
        (folder / "pyproject.toml").write_text(POETRY.format(url=place.plain_index("poetry")))
        machine = poetic(place, tmp_path / "first")
        machine.run("poetry", "lock", cwd=folder).succeeded()
        machine.run("poetry", "sync", cwd=folder).succeeded()
    expected = {"acme_app-1.0", "acme_cuda-1.0+cu121", "dep_a-1.5", "dep_b-0.9"}
    assert synced(folder) >= expected
    assert place.token("poetry") not in (folder / "poetry.lock").read_text()
    shutil.rmtree(folder / ".venv")
    poetic(place, tmp_path / "second").run("poetry", "sync", cwd=folder).succeeded()
    assert synced(folder) >= expected


def poetic(place: Place, home: Path) -> Machine:
    """A machine where poetry knows the token and makes environments in the project."""
    environment = {
        "POETRY_VIRTUALENVS_IN_PROJECT": "true",
        "POETRY_KEYRING_ENABLED": "false",
        "POETRY_HTTP_BASIC_TEAM_USERNAME": "__token__",
        "POETRY_HTTP_BASIC_TEAM_PASSWORD": place.token("poetry"),
    }
    return Machine(home, environment)


HATCH = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "consumer"
version = "0"

[tool.hatch.envs.default]
skip-install = true
dependencies = ["acme-app"]
"""


def test_hatch_makes_an_environment(place: Place, tmp_path: Path) -> None:
    folder = tmp_path / "consumer"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(HATCH)
    code = "import acme_app, dep_a; print('has', acme_app.__version__, dep_a.__version__)"
    line = ("hatch", "run", "python", "-c", code)
    stranger = Machine(tmp_path / "stranger", {"PIP_INDEX_URL": place.plain_index("team")})
    refused = stranger.run(*line, cwd=folder).failed()
    assert "has" not in refused.output
    user = Machine(tmp_path / "user", {"PIP_INDEX_URL": place.index("team")})
    assert "has 1.0 1.5" in user.run(*line, cwd=folder).succeeded().output
