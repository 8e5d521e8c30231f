"""Behind nginx, with the configuration that docs/production.md gives, TLS and all."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPSConnection, IncompleteRead
from pathlib import Path
from urllib.request import urlopen

import pytest
import trustme
from aiohttp import web

from support.dists import Dist, wheel
from support.serving import Bonded, Reply, basic, clean_environment, form
from support.upstream import Upstream, running

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
PAGE = Path(__file__).parents[2] / "docs" / "production.md"
BLOCKS = re.findall(r"```nginx\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
MAIN = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {server}
}}
"""

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed on this machine")


@dataclass
class Proxied:
    """A server behind nginx, as a client sees it."""

    bonded: Bonded
    port: int
    prefix: str
    authority: Path
    log: Path

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}{self.prefix}"

    def index(self, token: str) -> str:
        return self.url.replace("://", f"://__token__:{token}@") + "/team/simple/"

    @property
    def environment(self) -> dict[str, str]:
        names = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "TWINE_CERT")
        return clean_environment(**dict.fromkeys(names, str(self.authority)), NO_COLOR="1")

    def run(self, *line: str | Path) -> str:
        done = subprocess.run(
            [*map(str, line)], env=self.environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def request(
        self, method: str, path: str, token: str, body: bytes | None = None, **headers: str
    ) -> Reply:
        trust = ssl.create_default_context(cafile=str(self.authority))
        connection = HTTPSConnection("localhost", self.port, context=trust, timeout=60)
        named = {k.replace("_", "-"): v for k, v in headers.items()}
        try:
            connection.request(
                method, self.prefix + path, body, {"Authorization": basic(token), **named}
            )
            response = connection.getresponse()
            got = {k.lower(): v for k, v in response.getheaders()}
            return Reply(response.status, got, response.read())
        finally:
            connection.close()


@pytest.fixture(params=["", "/packages"], ids=["root", "prefix"])
def proxied(request: pytest.FixtureRequest, bonded: Bonded, tmp_path: Path) -> Iterator[Proxied]:
    port, prefix = _free_port(), request.param
    url = f"https://localhost:{port}{prefix}"
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with _serving(bonded, url, tmp_path / "serve.log") as behind:
        block = _documented(bool(prefix), port, behind, tmp_path, authority)
        with _nginx(block, port, tmp_path / "nginx"):
            yield Proxied(bonded, port, prefix, tmp_path / "ca.pem", tmp_path / "serve.log")


@contextmanager
def _serving(bonded: Bonded, url: str, log: Path) -> Iterator[int]:
    """A server that prints the proxy's URL; the port it listens on itself."""
    port = _free_port()
    line = [sys.executable, "-m", "bonded", "serve", "--port", str(port), "--url", url]
    environment = bonded.environment | {"BONDED_DATA": str(bonded.data)}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*line, "--trusted-proxy"], stdout=out, stderr=subprocess.STDOUT, env=environment
        )
    try:
        _wait(port, process, log)
        yield port
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _documented(prefixed: bool, port: int, behind: int, folder: Path, authority: trustme.CA) -> str:
    """The documented block, with the names of this machine in place of those of the example."""
    certificate = authority.issue_cert("localhost")
    certificate.private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    changes = {
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        r"server_name \S+;": "server_name localhost;",
        r"/etc/ssl/packages\.(pem|key)": str(folder / "server.pem"),
        r"http://127\.0\.0\.1:8080;": f"http://127.0.0.1:{behind};",
    }
    block = BLOCKS[prefixed]
    for pattern, replacement in changes.items():
        block, found = re.subn(pattern, replacement, block)
        assert found, f"the documented configuration has no {pattern}"
    return str(block)


@contextmanager
def _nginx(server: str, port: int, folder: Path) -> Iterator[None]:
    folder.mkdir()
    config = folder / "nginx.conf"
    config.write_text(MAIN.format(folder=folder, server=server))
    assert NGINX is not None
    with (folder / "out.log").open("wb") as out:
        line = [NGINX, "-p", str(folder), "-c", str(config), "-e", "stderr"]
        process = subprocess.Popen(line, stdout=out, stderr=subprocess.STDOUT)
    try:
        _wait(port, process, folder / "out.log")
        yield
    finally:
        process.terminate()
        process.wait(20)


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 40
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"nobody listens on {port}: {log.read_text()}")


def test_clients_publish_and_install_through_it(proxied: Proxied, tmp_path: Path) -> None:
    proxied.bonded.run("feed", "create", "team")
    token = proxied.bonded.token("team")
    dist, local = tmp_path / "dist", tmp_path / "local"
    wheel("acme-core", "1.0", requires=("acme-extra",)).write(dist)
    wheel("acme-extra", "2.0+local.1").write(local)
    upload, uv = f"{proxied.url}/team/legacy/", Path(sys.executable).with_name("uv")
    credentials = ["--username", "__token__", "--password", token]

    twine = [sys.executable, "-m", "twine", "upload", "--repository-url", upload]
    proxied.run(*twine, *credentials, *dist.iterdir())
    proxied.run(uv, "publish", "--publish-url", upload, *credentials, *local.iterdir())

    for name, line in {
        "pip": [sys.executable, "-m", "pip", "install", "--no-cache-dir", "--index-url"],
        "uv": [uv, "pip", "install", "--no-cache", "--default-index"],
    }.items():
        target = tmp_path / name
        proxied.run(*line, proxied.index(token), "--target", target, "acme-core")
        assert {p.name for p in target.glob("*.dist-info")} == {
            "acme_core-1.0.dist-info",
            "acme_extra-2.0+local.1.dist-info",
        }


def test_printed_urls_are_those_of_clients(proxied: Proxied) -> None:
    proxied.bonded.run("feed", "create", "team")
    assert proxied.bonded.json("index-url", "team") == {
        "index_url": f"{proxied.url}/team/simple/",
        "upload_url": f"{proxied.url}/team/legacy/",
        "public": False,
    }


def test_redirects_stay_under_the_prefix(proxied: Proxied, tmp_path: Path) -> None:
    proxied.bonded.run("feed", "create", "team", "--public")
    proxied.bonded.run("upload", "--feed", "team", wheel("acme-core").write(tmp_path))
    trust = ssl.create_default_context(cafile=str(proxied.authority))
    for path in ("/team/simple", "/team/simple/acme-core", "/team/simple/Acme_Core/", "/team/"):
        with urlopen(proxied.url + path, context=trust) as response:
            wanted = "/team/simple/acme-core/" if "core" in path.lower() else "/team/simple/"
            assert response.url == proxied.url + wanted


def test_large_uploads_pass(proxied: Proxied) -> None:
    proxied.bonded.run("feed", "create", "team")
    token = proxied.bonded.token("team")
    dist = wheel("acme-large", extra={"acme_large/data.bin": os.urandom(3 << 20)})
    body, headers = form(dist.filename, dist.body)
    kind = headers["Content-Type"]
    assert proxied.request("POST", "/team/legacy/", token, body, Content_Type=kind).status == 200
    reply = proxied.request("GET", f"/team/files/acme-large/{dist.filename}", token)
    assert (reply.status, reply.body) == (200, dist.body)


@pytest.mark.parametrize("sized", [True, False])
def test_a_file_cut_off_is_cut_off_for_the_client(proxied: Proxied, sized: bool) -> None:
    dist = wheel("other", extra={"other/data.bin": os.urandom(1 << 20)})
    liar = Upstream(dists=[dist], files="wrong") if sized else Unsized(dists=[dist], sizes=False)
    with running(liar):
        proxied.bonded.run("feed", "create", "team", "--upstream", liar.url)
        token = proxied.bonded.token("team")
        with pytest.raises((IncompleteRead, ConnectionError, ssl.SSLError)):
            proxied.request("GET", f"/team/files/other/{dist.filename}", token)


class Unsized(Upstream):
    """Sends other bytes than it lists, and does not say how many."""

    async def _send(self, request: web.Request, dist: Dist) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(bytes(len(dist.body)))
        return response


def test_a_client_cannot_say_that_it_is_another(proxied: Proxied) -> None:
    proxied.bonded.run("feed", "create", "team")
    token = proxied.bonded.token("team")
    proxied.request("GET", "/team/simple/", token, X_Forwarded_For="203.0.113.9")
    assert _logged(proxied, "/team/simple/").split()[1] == "127.0.0.1"


def _logged(proxied: Proxied, part: str) -> str:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        for line in proxied.log.read_text().splitlines():
            if line[:2] == "20" and part in line:
                return line
        time.sleep(0.05)
    raise AssertionError(f"{part} was not logged")


def test_the_counters_are_not_for_everybody(proxied: Proxied) -> None:
    assert proxied.request("GET", "/metrics", "").status == 403
    assert proxied.request("GET", "/healthz", "").status == 200
