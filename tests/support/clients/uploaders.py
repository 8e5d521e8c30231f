"""What uploads: twine and uv of two generations, poetry, hatch and flit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from support.clients.machine import Done, Machine
from support.dists import sdist, wheel

PROJECT = """
[build-system]
requires = ["flit_core >=3.11"]
build-backend = "flit_core.buildapi"

[project]
name = "{name}"
version = "1.0"
description = "A package of the tests."
"""
Send = Callable[["Release", str, str], Done]


@dataclass
class Release:
    """A wheel and an sdist of one release, in a project's folder."""

    machine: Machine
    folder: Path
    name: str

    def build(self, content: str) -> None:
        """Write the project, and its files with some content."""
        module = self.name.replace("-", "_")
        self.folder.mkdir(exist_ok=True)
        (self.folder / "pyproject.toml").write_text(PROJECT.format(name=self.name))
        (self.folder / f"{module}.py").write_text(f'"""{content}"""\n')
        text = {f"{module}/text.py": content.encode()}
        wheel(self.name, extra=text).write(self.folder / "dist")
        sdist(self.name, extra={f"{module}-1.0/text.py": content.encode()}).write(
            self.folder / "dist"
        )

    @property
    def files(self) -> list[Path]:
        return sorted((self.folder / "dist").iterdir())

    def run(self, *line: str, **variables: str) -> Done:
        return self.machine.run(*line, cwd=self.folder, **variables)

    def paths(self) -> Iterator[str]:
        return map(str, self.files)


def _twine(client: str) -> Send:
    def send(release: Release, url: str, token: str) -> Done:
        line = (client, "upload", "--non-interactive", "--disable-progress-bar", "--verbose")
        return release.run(
            *line,
            "--repository-url",
            url,
            *release.paths(),
            TWINE_USERNAME="__token__",
            TWINE_PASSWORD=token,
        )

    return send


def _uv(client: str) -> Send:
    def send(release: Release, url: str, token: str) -> Done:
        line = (client, "publish", "--publish-url", url)
        return release.run(*line, *release.paths(), UV_PUBLISH_TOKEN=token)

    return send


def _poetry(release: Release, url: str, token: str) -> Done:
    return release.run(
        "poetry",
        "publish",
        "--no-interaction",
        "--repository",
        "team",
        POETRY_REPOSITORIES_TEAM_URL=url,
        POETRY_HTTP_BASIC_TEAM_USERNAME="__token__",
        POETRY_HTTP_BASIC_TEAM_PASSWORD=token,
    )


def _hatch(release: Release, url: str, token: str) -> Done:
    line = ("hatch", "publish", "--no-prompt", "--repo", url, "--user", "__token__")
    return release.run(*line, *release.paths(), HATCH_INDEX_AUTH=token)


def _flit(release: Release, url: str, token: str) -> Done:
    # It builds what it sends; the time of the files is fixed, and with it the bytes.
    return release.run(
        "flit",
        "publish",
        "--no-use-vcs",
        FLIT_INDEX_URL=url,
        FLIT_USERNAME="__token__",
        FLIT_PASSWORD=token,
        SOURCE_DATE_EPOCH="1600000000",
    )


UPLOADERS: dict[str, Send] = {
    "twine-old": _twine("twine-old"),
    "twine": _twine("twine"),
    "uv-old": _uv("uv-old"),
    "uv": _uv("uv"),
    "poetry": _poetry,
    "hatch": _hatch,
    "flit": _flit,
}
