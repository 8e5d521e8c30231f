"""Commands and servers for the demo: in an environment of their own, and none left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

#: What says whom to trust stays; everything else that could configure a client goes.
TLS = ("SSL_CERT_FILE", "SSL_CERT_DIR", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
PLAIN = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH")
#: A proxy that is not there: what does not stay on loopback fails instead of going unnoticed.
NOWHERE = "http://127.0.0.1:9"
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
LONGEST = 240  #: seconds that a command may take
TAIL = 25  #: lines of a failed command to show


class Failed(Exception):
    """What did not work, and the last lines of what the command said about it."""

    def __init__(self, what: str, output: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.tail = "\n".join(output.strip().splitlines()[-TAIL:])


def tool(name: str) -> str:
    """A command of the environment that this runs in."""
    return str(Path(sys.executable).with_name(name))


def environment(home: Path, **more: str) -> dict[str, str]:
    """Nothing of the user's but trust: an empty home, no configuration, no way but loopback."""
    home.mkdir(exist_ok=True)
    kept = {name: os.environ[name] for name in (*PLAIN, *TLS) if name in os.environ}
    closed = dict.fromkeys(PROXIES, NOWHERE) | dict.fromkeys(("no_proxy", "NO_PROXY"), "127.0.0.1")
    own = {"HOME": str(home), "TMPDIR": str(home), "PIP_CONFIG_FILE": os.devnull}
    return kept | closed | own | more


@dataclass
class Runner:
    """Runs commands, and never repeats one of the `secrets` in what it tells of them."""

    secrets: set[str] = field(default_factory=set)

    async def run(self, *line: str | Path, env: Mapping[str, str], cwd: Path | None = None) -> str:
        """Run a command to its end and return its standard output. Raises `Failed`."""
        async with self._process(*line, env=env, cwd=cwd, stdout=PIPE, stderr=PIPE) as process:
            try:
                out, err = await asyncio.wait_for(process.communicate(), LONGEST)
            except TimeoutError:
                raise Failed(f"{self._shown(line)} took longer than {LONGEST} s") from None
        if process.returncode:
            said = self._clean((out + err).decode(errors="replace"))
            raise Failed(f"{self._shown(line)} ended with code {process.returncode}", said)
        return out.decode(errors="replace")

    @asynccontextmanager
    async def server(
        self, *line: str | Path, env: Mapping[str, str], log: Path
    ) -> AsyncIterator[Process]:
        """Run a server, its output in a file, and end it as Ctrl-C would."""
        with log.open("wb") as out:
            async with self._process(*line, env=env, stdout=out, stderr=STDOUT) as process:
                try:
                    yield process
                finally:
                    await _interrupt(process)

    @asynccontextmanager
    async def _process(self, *line: str | Path, **options: object) -> AsyncIterator[Process]:
        """A process in a group of its own; whatever of the group is left at the end is killed."""
        process = await asyncio.create_subprocess_exec(
            *map(str, line),
            stdin=DEVNULL,
            start_new_session=True,
            **options,  # type: ignore[arg-type]
        )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    def told(self, log: Path) -> str:
        """What a server wrote, without secrets."""
        return self._clean(log.read_text(errors="replace"))

    def _shown(self, line: tuple[str | Path, ...]) -> str:
        command = " ".join([Path(line[0]).name, *map(str, line[1:])])
        return self._clean(command if len(command) < 100 else command[:97] + "...")

    def _clean(self, text: str) -> str:
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text


async def _interrupt(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), 20)
