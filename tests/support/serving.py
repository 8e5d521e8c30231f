"""The product as its users run it: the command, and a server in a process of its own."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

TLS = ("SSL_CERT_FILE", "SSL_CERT_DIR", "PIP_CERT", "REQUESTS_CA_BUNDLE")


def clean_environment(**more: str) -> dict[str, str]:
    """The environment without what configures pip, uv, twine or us."""
    foreign = ("PIP_", "UV_", "TWINE_", "BONDED_", "POETRY_", "HATCH_", "PYTHON")
    kept = {k: v for k, v in os.environ.items() if k in TLS or not k.startswith(foreign)}
    return kept | {"PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1", "PYTHONUTF8": "1"} | more


@dataclass
class Bonded:
    """The command on a data folder."""

    data: Path
    environment: dict[str, str] = field(default_factory=clean_environment)

    def run(self, *arguments: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a command; it must end with `code`."""
        line = [sys.executable, "-m", "bonded", *map(str, arguments)]
        environment = self.environment | {"BONDED_DATA": str(self.data)}
        done = subprocess.run(line, capture_output=True, text=True, env=environment, check=False)
        assert done.returncode == code, (
            f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
        )
        return done

    def json(self, *arguments: str | Path) -> Any:
        """Run a command that prints JSON."""
        return json.loads(self.run(*arguments, "--json").stdout)

    def token(self, *feeds: str, scope: str = "write", **more: str) -> str:
        """Mint a token."""
        options = [part for feed in feeds for part in ("--feed", feed)]
        options += [part for key, value in more.items() for part in (f"--{key}", value)]
        return self.run("token", "create", *options, "--scope", scope).stdout.strip()


@dataclass
class Server:
    """A server that runs."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    def kill(self) -> None:
        """`kill -9`, workers and all; nothing gets to tidy up."""
        for child in children(self.process.pid):
            os.kill(child, signal.SIGKILL)
        self.process.kill()
        self.process.wait(20)

    def stop(self) -> int:
        """End it as Ctrl-C does; its exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(20)

    def request(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
        body: Any = None,
    ) -> Reply:
        """One request on a connection of its own."""
        return request(self.url, method, path, token=token, headers=headers, body=body)

    def get(self, path: str, token: str | None = None, **headers: str) -> Reply:
        """GET."""
        named = {k.replace("_", "-"): v for k, v in headers.items()}
        return self.request("GET", path, token=token, headers=named)

    def page(self, path: str, token: str | None = None) -> Any:
        """A page in JSON, decoded."""
        accept = "application/vnd.pypi.simple.v1+json"
        reply = self.get(path, token, Accept=accept)
        assert reply.status == 200, reply
        return json.loads(reply.body)


@dataclass
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> Any:
        return json.loads(self.body)


def basic(token: str, user: str = "__token__") -> str:
    """An Authorization header."""
    return "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()


def request(
    base: str,
    method: str,
    path: str,
    *,
    token: str | None = None,
    headers: dict[str, str] | None = None,
    body: Any = None,
    trust: ssl.SSLContext | None = None,
) -> Reply:
    """One request on a connection of its own; a body cut short raises."""
    parts = urlsplit(base)
    host = parts.hostname or ""
    connection: HTTPConnection = (
        HTTPSConnection(host, parts.port, timeout=60, context=trust)
        if parts.scheme == "https"
        else HTTPConnection(host, parts.port, timeout=60)
    )
    named = dict(headers or {})
    if token is not None:
        named.setdefault("Authorization", basic(token))
    try:
        connection.request(method, path, body=body, headers=named)
        response: HTTPResponse = connection.getresponse()
        got = {k.lower(): v for k, v in response.getheaders()}
        return Reply(response.status, got, response.read())
    finally:
        connection.close()


def form(
    filename: str, content: bytes, fields: dict[str, str] | None = None
) -> tuple[bytes, dict[str, str]]:
    """An upload form and its headers."""
    boundary = "----bonded-tests"
    given = {":action": "file_upload", "protocol_version": "1"} | (fields or {})
    out = b""
    for key, value in given.items():
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"'
        out += f"{head}\r\n\r\n{value}\r\n".encode()
    out += (
        f'--{boundary}\r\nContent-Disposition: form-data; name="content"; filename="{filename}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode()
    out += content + f"\r\n--{boundary}--\r\n".encode()
    return out, {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def upload(
    server: Server,
    path: str,
    filename: str,
    content: bytes,
    token: str | None = None,
    **fields: str,
) -> Reply:
    """Upload as twine does."""
    body, headers = form(filename, content, fields)
    return server.request("POST", path, token=token, headers=headers, body=body)


def children(pid: int) -> list[int]:
    """The processes begun by a process."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(p) for p in path.read_text().split()] if path.exists() else []


@contextmanager
def serving(
    bonded: Bonded, *options: str, wait: float = 40, trust: ssl.SSLContext | None = None
) -> Iterator[Server]:
    """Run a server on a free port, until it is left."""
    log = bonded.data.parent / f"serve-{time.monotonic_ns()}.log"
    line = [sys.executable, "-m", "bonded", "serve", "--port", "0", *options]
    environment = bonded.environment | {"BONDED_DATA": str(bonded.data)}
    with log.open("wb") as out:
        process = subprocess.Popen(line, stdout=out, stderr=subprocess.STDOUT, env=environment)
    try:
        yield Server(process, _ready(process, log, wait, trust), log)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _ready(
    process: subprocess.Popen[bytes], log: Path, wait: float, trust: ssl.SSLContext | None
) -> str:
    """The server's own address, once it answers there."""
    end = time.monotonic() + wait
    while time.monotonic() < end:
        found = re.search(r"listens on (http\S+) with", log.read_text())
        if found is not None:
            try:
                if request(found[1], "GET", "/readyz", trust=trust).status == 200:
                    return found[1]
            except OSError:
                pass
        assert process.poll() is None, f"the server ended:\n{log.read_text()}"
        time.sleep(0.05)
    raise AssertionError(f"the server is not ready:\n{log.read_text()}")
