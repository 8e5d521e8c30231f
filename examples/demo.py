"""A private feed at work, by `make demo`.

A server with a feed that falls back to this machine's default index; a private package of Acme's
that twine uploads; pip and uv, which install it together with public ones through the feed alone;
and both again once the index is cut off. A relay before the index tells who asked it for what.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import signal
import socket
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from bonded.sources import machine
from examples.clients import PRIVATE, PUBLIC, Clients, Installed
from examples.relay import Relay
from examples.running import Failed, Runner, environment, tool

FEED = "team"
SOURCE = Path(__file__).with_name(PRIVATE)
READY = 30  #: seconds that the server may take to be ready


@dataclass
class Demo:
    """The story, step by step. All that it makes lies in `folder`; `stack` ends what it starts."""

    folder: Path
    stack: AsyncExitStack
    relay: Relay
    runner: Runner = field(default_factory=Runner)
    began: float = field(default_factory=time.monotonic)
    step: str = "start"

    async def play(self) -> None:
        """All of it. Raises `Failed` at the first step that does not work."""
        await self.stand()
        clients = await self.publish()
        before = [await self.install(clients, c, "first") for c in ("pip", "uv")]
        self.prove_who_asked()
        await self.cut()
        asked = len(self.relay.log)
        after = [await self.install(clients, c, "again") for c in ("pip", "uv")]
        self.prove_kept(before, after, len(self.relay.log) - asked)
        await self.check()

    def say(self, text: str) -> None:
        """A line of the story, with the time."""
        print(f"{time.monotonic() - self.began:6.1f} s  {self.step:<7} {text}", flush=True)

    async def stand(self) -> None:
        """Start the relay and the server, and make the feed."""
        self.step = "relay"
        await self.relay.start()
        self.stack.push_async_callback(self.relay.stop)
        self.say(f"{self.relay.url} stands before the default index, {self.relay.index}")
        self.step = "server"
        self.say(f"{await self._serve()} serves a new data folder; it can reach only the relay")
        self.step = "feed"
        await self._bonded("feed", "create", FEED, "--upstream", "default")
        self.say(f"'{FEED}' is made; what it does not host it gets from the default index")

    async def _serve(self) -> str:
        env, log = self._server_environment(), self._log
        serving = self.runner.server(tool("bonded"), "serve", "--port", "0", env=env, log=log)
        process = await self.stack.enter_async_context(serving)
        deadline = time.monotonic() + READY
        while (url := await self._ready()) is None:
            if process.returncode is not None or time.monotonic() > deadline:
                raise Failed("the server does not start", self.runner.told(log))
            await asyncio.sleep(0.05)
        return url

    @property
    def _log(self) -> Path:
        return self.folder / "serve.log"

    def trouble(self) -> str:
        """What the server refused or complained of last, and what the relay could not get."""
        told = self.runner.told(self._log).splitlines() if self._log.exists() else []
        server = [line for line in told if re.search(r" [45]\d\d \d+ [\d.]+ms$| note ", line)]
        relay = [f"relay: {a.method} {a.path} {a.status}" for a in self.relay.log if a.status > 404]
        return "\n".join(server[-8:] + relay[-8:])

    async def _ready(self) -> str | None:
        """The server's URL, once it answers there."""
        lock = self.folder / "data" / "serve.lock"
        if not lock.exists() or not lock.stat().st_size:
            return None
        url = str(json.loads(lock.read_text())["url"])
        try:
            async with aiohttp.ClientSession() as session, session.get(f"{url}/readyz") as answer:
                return url if answer.status == 200 else None
        except aiohttp.ClientError:
            return None

    async def _bonded(self, *line: str) -> str:
        return await self.runner.run(tool("bonded"), *line, env=self._server_environment())

    def _server_environment(self) -> dict[str, str]:
        # A feed finds its default upstream in what this machine's pip is told.
        settings = {"PIP_INDEX_URL": self.relay.url, "BONDED_DATA": str(self.folder / "data")}
        return environment(self.folder / "server", **settings)

    async def publish(self) -> Clients:
        """Mint a token for the clients; build a package, and upload it."""
        self.step = "token"
        token = (await self._bonded("token", "create", "--feed", FEED, "--scope", "write")).strip()
        self.runner.secrets.add(token)
        urls = json.loads(await self._bonded("index-url", FEED, "--json"))
        clients = Clients.with_token(self.runner, self.folder, token, urls["index_url"])
        self.say(f"is minted, in the netrc of pip and uv, whose one index is {clients.index}")
        self.step = "upload"
        wheel = await self._build(clients)
        line = (tool("twine"), "upload", "--non-interactive", "--disable-progress-bar")
        where = ("--config-file", "/dev/null", "--repository-url", urls["upload_url"])
        account = {"TWINE_USERNAME": "__token__", "TWINE_PASSWORD": token}
        await self.runner.run(*line, *where, wheel, env={**clients.env, **account})
        self.say(f"twine uploaded {wheel.name}, built from examples/{PRIVATE}")
        return clients

    async def _build(self, clients: Clients) -> Path:
        source, out = self.folder / PRIVATE, self.folder / "dist"
        shutil.copytree(SOURCE, source, ignore=shutil.ignore_patterns("__pycache__"))
        line = (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", out)
        await self.runner.run(*line, env=clients.env, cwd=source)
        return next(out.glob("*.whl"))

    async def install(self, clients: Clients, client: str, when: str) -> Installed:
        """Install with a client, and use what it installed."""
        self.step = client
        installed = await clients.install(client, when)
        self.say(f"installed {installed}")
        return installed

    def prove_who_asked(self) -> None:
        """From the relay's log: the private name stayed in here, and each file came once."""
        self.step = "relay"
        log = self.relay.log
        whole = [asked.filename for asked in log if asked.whole_file]
        twice = sorted({name for name in whole if whole.count(name) > 1})
        must(not any(_private(a.path) for a in log), f"{PRIVATE} was asked of the index")
        must(not twice, f"fetched more than once: {', '.join(twice)}")
        for name in PUBLIC:
            must(any(f.startswith(f"{name}-") for f in whole), f"{name} did not pass the relay")
        self.say(
            f"passed on {len(log)} requests and {sum(a.sent for a in log) / 1e6:.0f} MB: each of"
            f" {len(whole)} files once, and nobody asked it for {PRIVATE}"
        )

    async def cut(self) -> None:
        """Stop the relay: the server can reach no index any more."""
        self.step = "cut"
        await self.relay.stop()
        with socket.socket() as probe:
            refused = probe.connect_ex(("127.0.0.1", self.relay.port)) != 0
        must(refused, "the relay still takes connections")
        self.say("the relay is stopped and refuses connections; now new environments and caches")

    def prove_kept(self, before: list[Installed], after: list[Installed], asked: int) -> None:
        """The feed gave the same without its upstream."""
        self.step = "relay"
        must(asked == 0, f"the relay was asked {asked} times after it was stopped")
        same = [i.found for i in before] == [i.found for i in after]
        must(same, "what was installed after the cut differs from what was before")
        self.say("was asked nothing since; the same versions came from what the feed had kept")

    async def check(self) -> None:
        """The feed's own look at what it kept."""
        self.step = "check"
        report = json.loads(await self._bonded("check", "--json"))["report"]
        must(not report["faults"], f"bonded check found faults: {report['faults']}")
        self.say(f"{report['files']} files, {report['size'] / 1e6:.0f} MB, are kept and right")


def must(holds: bool, otherwise: str) -> None:
    """What must be true for the demo to have worked."""
    if not holds:
        raise Failed(otherwise)


def _private(path: str) -> bool:
    return PRIVATE in path.lower().replace("_", "-").replace(".", "-")


async def main() -> int:
    """Play it; 0 if all of it worked. Ends its processes and removes its folder in any case."""
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with tempfile.TemporaryDirectory(prefix="bonded-demo-", ignore_cleanup_errors=True) as folder:
        async with AsyncExitStack() as stack:
            demo = Demo(Path(folder), stack, Relay(machine.default_index()))
            code = await _told(demo)
    if code == 0:
        took = time.monotonic() - demo.began
        print(f"All of it worked, in {took:.0f} s. No process and no file of it is left.")
    return code


async def _told(demo: Demo) -> int:
    try:
        await demo.play()
    except Failed as failure:
        print(f"FAILED at {demo.step}: {failure.what}", file=sys.stderr)
        for text in filter(None, (failure.tail, demo.trouble())):
            print(text, file=sys.stderr)
        return 1
    except Exception:
        print(f"FAILED at {demo.step}:", file=sys.stderr)
        raise
    return 0


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(main()))
    except asyncio.CancelledError:
        print("Stopped. No process and no file of it is left.", file=sys.stderr)
        sys.exit(130)
