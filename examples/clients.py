"""pip and uv, as somebody would run them on a machine of their own."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from examples.running import Runner, environment, tool

PRIVATE = "acme-greeting"
PUBLIC = ("pandas", "requests", "rich")
WANTED = (PRIVATE, *PUBLIC)
#: Run in an environment: it uses what was installed, and says what that is.
PROOF = """
import json, importlib.metadata as installed
import acme_greeting, pandas
assert int(pandas.Series([1, 2, 3]).sum()) == 6
found = {d.name.lower(): d.version for d in installed.distributions()}
print(json.dumps({"says": acme_greeting.greeting(), "found": found}))
"""


@dataclass
class Installed:
    """What a client put into an environment, and how long that took, in seconds."""

    says: str
    found: dict[str, str]
    took: float

    def __str__(self) -> str:
        named = ", ".join(f"{name} {self.found[name]}" for name in WANTED)
        more = len(self.found) - len(WANTED)
        return f"{named} and {more} more in {self.took:.1f} s. {self.says}"


@dataclass
class Clients:
    """The clients, with a token in a netrc file and no other configuration at all."""

    runner: Runner
    folder: Path
    env: Mapping[str, str]
    index: str

    @classmethod
    def with_token(cls, runner: Runner, folder: Path, token: str, index: str) -> Clients:
        """Clients with a home of their own, and a token there for whatever is on loopback."""
        netrc = folder / "home" / ".netrc"
        env = environment(netrc.parent, NETRC=str(netrc))
        netrc.touch(0o600)
        netrc.write_text(f"machine 127.0.0.1 login __token__ password {token}\n")
        return cls(runner, folder, env, index)

    async def install(self, client: str, when: str) -> Installed:
        """Install what is wanted into a new environment with a new cache, and use it."""
        place = self.folder / f"{client}-{when}"
        uv = (tool("uv"), "--no-config", "--cache-dir", str(self.folder / f"cache-{when}"))
        venv = (*uv, "venv", "--quiet", "--python", sys.executable, place)
        await self.runner.run(*venv, env=self.env)
        line = _pip(place) if client == "pip" else (*uv, "pip", "install", "--python", str(place))
        began = time.monotonic()
        await self.runner.run(*line, "--index-url", self.index, *WANTED, env=self.env)
        took = time.monotonic() - began
        said = await self.runner.run(place / "bin" / "python", "-c", PROOF, env=self.env)
        return Installed(**json.loads(said), took=took)


def _pip(place: Path) -> tuple[str, ...]:
    options = ("--no-input", "--no-cache-dir", "--disable-pip-version-check")
    return sys.executable, "-m", "pip", "--python", str(place), "install", *options
