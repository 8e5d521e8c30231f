"""A user's machine: a home of its own, nothing configured or cached; and the clients on it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from support.serving import clean_environment

ROOT = Path(__file__).parents[3]
TOOLS = ROOT / ".tools"
HERE = Path(sys.executable).parent
#: What is run for each client; `HERE` has those that are in the project's own environment.
_PROGRAMS = {
    "pip": (TOOLS / "pip/bin/python", "-m", "pip"),
    "pip23": (TOOLS / "pip23/bin/python", "-m", "pip"),
    "uv": (HERE / "uv",),
    "uv-old": (TOOLS / "uv-old/bin/uv",),
    "twine": (HERE / "twine",),
    "twine-old": (TOOLS / "twine-old/bin/twine",),
    "poetry": (TOOLS / "poetry/bin/poetry",),
    "hatch": (TOOLS / "hatch/bin/hatch",),
    "flit": (TOOLS / "flit/bin/flit",),
}


def program(client: str) -> list[str]:
    """The start of a command line; a client that was not set up skips, in CI it fails."""
    first, *rest = _PROGRAMS[client]
    path = Path(first)
    ready = path.is_file() and (path.parent == HERE or (TOOLS / client / ".ready").is_file())
    if not ready:
        sentence = f"{client} is not set up for the tests; 'make tools' does it."
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    return [str(path), *map(str, rest)]


@dataclass
class Done:
    """How a command ended."""

    line: list[str]
    code: int
    output: str

    def succeeded(self) -> Done:
        assert self.code == 0, self
        return self

    def failed(self) -> Done:
        assert self.code != 0, self
        return self


@dataclass
class Machine:
    """Runs clients under `home`, with what `environment` adds to a clean environment."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)

    def run(self, *line: str | Path, cwd: Path | None = None, **more: str | None) -> Done:
        """Run a command line that starts with a client's name; None takes a variable away."""
        client, *arguments = map(str, line)
        whole = [*program(client), *arguments]
        environment = {**self._base(), **self.environment, **more}
        done = subprocess.run(
            whole,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            cwd=cwd or self.home,
            env={k: v for k, v in environment.items() if v is not None},
            check=False,
            timeout=300,
        )
        return Done(whole, done.returncode, done.stdout + done.stderr)

    def _base(self) -> dict[str, str]:
        home = str(self.home)
        folders = {f"XDG_{k}_HOME": f"{home}/.{k.lower()}" for k in ("CACHE", "CONFIG", "DATA")}
        plain = {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "400", "NO_PROXY": "127.0.0.1"}
        silent = {"PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        ours = {"HOME": home, "UV_PYTHON": sys.executable, "UV_PYTHON_DOWNLOADS": "never"}
        no_keyring = {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
        base = clean_environment(**folders, **plain, **silent, **ours, **no_keyring)
        # What a shell's own environment would say of Python is not the clients' business.
        return {k: v for k, v in base.items() if k not in ("VIRTUAL_ENV", "CONDA_PREFIX")}

    def netrc(self, url: str, token: str) -> None:
        """Write the user's netrc."""
        path = self.home / ".netrc"
        path.write_text(f"machine {urlsplit(url).hostname} login __token__ password {token}\n")
        path.chmod(0o600)


def with_user(url: str, user: str, password: str | None = None) -> str:
    """A URL with credentials in it."""
    parts = urlsplit(url)
    said = user if password is None else f"{user}:{password}"
    return parts._replace(netloc=f"{said}@{parts.netloc}").geturl()
