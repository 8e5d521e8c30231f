"""The Simple API over HTTP: negotiation, validators, codings, aliases, prefixes and TLS."""

from __future__ import annotations

import gzip
import json
import ssl
from collections.abc import Iterator
from http.client import HTTPSConnection
from pathlib import Path

import pytest
import trustme

from support.dists import wheel
from support.serving import Bonded, Server, serving, upload

WHEEL = wheel("acme-core", "1.0+cu.1", python=">=3.9", requires=("left-pad",))
JSON, HTML = "application/vnd.pypi.simple.v1+json", "application/vnd.pypi.simple.v1+html"
PAGE = "/team/simple/acme-core/"
FILE = f"/team/files/acme-core/{WHEEL.filename}"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Bonded, Server]]:
    bonded = Bonded(tmp_path_factory.mktemp("http") / "data")
    bonded.run("feed", "create", "team", "--public")
    bonded.run("upload", "--feed", "team", WHEEL.write(bonded.data.parent))
    with serving(bonded, "--trusted-proxy") as server:
        yield bonded, server


@pytest.fixture
def server(place: tuple[Bonded, Server]) -> Server:
    return place[1]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, "text/html"),
        ("*/*", "text/html"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html"),
        (JSON, JSON),
        (HTML, HTML),
        ("application/vnd.pypi.simple.latest+json", JSON),
        ("application/vnd.pypi.simple.latest+html", HTML),
        (f"{JSON}, {HTML}; q=0.1, text/html; q=0.01", JSON),
        (f"{JSON}; q=0.1, {HTML}; q=0.2, text/html; q=0.3", "text/html"),
        (f"{JSON};q=0, */*", "text/html"),
    ],
)
@pytest.mark.parametrize("path", [PAGE, "/team/simple/"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_negotiation(server: Server, accept: str | None, kind: str, path: str, method: str) -> None:
    reply = server.request(method, path, headers={"Accept": accept} if accept else {})
    assert reply.status == 200
    assert reply.headers["content-type"].partition(";")[0] == kind
    assert reply.headers["vary"] == "Accept, Accept-Encoding"
    assert int(reply.headers["content-length"]) > 0
    assert bool(reply.body) == (method == "GET")


def test_formats_by_parameter(server: Server) -> None:
    for wanted, kind in ((JSON, JSON), (JSON.replace("+", "%2B"), JSON), (HTML, HTML)):
        reply = server.get(f"{PAGE}?format={wanted}", Accept="text/html")
        assert reply.headers["content-type"] == kind
    assert server.get(f"{PAGE}?format=text/html", Accept=JSON).status == 200
    for reply in (server.get(f"{PAGE}?format=nonsense"), server.get(PAGE, Accept="image/png")):
        assert reply.status == 406
        assert "Accept one of" in reply.problem["hint"]


@pytest.mark.parametrize("accept", [JSON, HTML, "text/html"])
def test_validators_are_of_one_representation(server: Server, accept: str) -> None:
    plain = server.get(PAGE, Accept=accept)
    packed = server.get(PAGE, Accept=accept, Accept_Encoding="gzip, br")
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert plain.headers["etag"] != packed.headers["etag"]
    for reply in (plain, packed):
        etag = reply.headers["etag"]
        for condition in (etag, f'"x", {etag}', f"W/{etag}", "*"):
            again = server.get(PAGE, Accept=accept, If_None_Match=condition)
            assert (again.status, again.body) == (304, b"")
            assert "etag" in again.headers
    other = server.get(PAGE, Accept=accept, If_None_Match='"other"')
    assert other.status == 200
    assert "content-encoding" not in server.get(PAGE, Accept_Encoding="gzip;q=0").headers


def test_pages_say_what_is_known(server: Server) -> None:
    page = json.loads(server.get(PAGE, Accept=JSON).body)
    assert page["meta"] == {"api-version": "1.4"}
    assert page["versions"] == ["1.0+cu.1"]
    (file,) = page["files"]
    assert file["requires-python"] == ">=3.9"
    assert file["hashes"]["sha256"] == WHEEL.sha256
    assert file["size"] == len(WHEEL.body)
    assert "sha256" in file["core-metadata"]
    # PEP 714: pip 22.3 to 23.1 fails at the old key in JSON.
    assert "dist-info-metadata" not in file
    assert file["upload-time"].endswith("Z")
    assert "%2B" in file["url"]
    html = server.get(PAGE).body.decode()
    assert 'data-requires-python="&gt;=3.9"' in html
    assert '<meta name="pypi:repository-version" content="1.4">' in html


def test_files(server: Server) -> None:
    for path in (FILE, FILE.replace("+", "%2B")):
        reply = server.get(path)
        assert reply.body == WHEEL.body
        assert reply.headers["accept-ranges"] == "bytes"
        assert "immutable" in reply.headers["cache-control"]
        again = server.get(path, If_None_Match=reply.headers["etag"])
        assert again.status == 304
        assert server.get(path + ".metadata").body == WHEEL.metadata
    part = server.get(FILE, Range="bytes=-10")
    assert (part.status, part.body) == (206, WHEEL.body[-10:])
    stale = server.get(FILE, Range="bytes=-10", If_Range='"other"')
    assert (stale.status, stale.body) == (200, WHEEL.body)
    several = server.get(FILE, Range="bytes=0-1,4-5")
    assert several.status == 200


def test_wrong_methods_and_wrong_places(server: Server) -> None:
    for method, path, allowed in (
        ("POST", PAGE, "GET, HEAD"),
        ("DELETE", FILE, "GET, HEAD"),
        ("PUT", "/healthz", "GET, HEAD"),
    ):
        reply = server.request(method, path)
        assert (reply.status, reply.headers.get("allow")) == (405, allowed)
    for path in ("/x", "/team/nothing/", "/team/simple/a/b/c", "/team/simple/a b/", "/team//x"):
        reply = server.get(path.replace(" ", "%20"))
        assert reply.status == 404, path
        assert reply.headers["content-type"] == "application/problem+json"


def test_azure_shaped_addresses(place: tuple[Bonded, Server]) -> None:
    bonded, server = place
    token = bonded.token("team")
    for prefix in ("/contoso/_packaging/team/pypi", "/contoso/proj%20x/_packaging/Team/pypi"):
        page = server.page(f"{prefix}/simple/acme-core/")
        assert page["files"][0]["filename"] == WHEEL.filename
        file = f"{prefix}/files/acme-core/{WHEEL.filename}"
        assert server.get(file).body == WHEEL.body
        dist = wheel("by-alias", str(len(prefix)))
        for slash in ("", "/"):
            reply = upload(server, f"{prefix}/upload{slash}", dist.filename, dist.body, token)
            assert reply.status == 200
    view = server.get("/contoso/_packaging/team@Release/pypi/simple/")
    assert view.status == 404
    assert "view" in view.problem["detail"]


def test_the_log_names_the_proxys_client_and_no_query(place: tuple[Bonded, Server]) -> None:
    import time

    _, server = place
    server.get("/team/simple/?secret=hunter2", X_Forwarded_For="10.9.8.7, 203.0.113.9")
    end = time.monotonic() + 10
    while "203.0.113.9" not in server.log.read_text():
        assert time.monotonic() < end
        time.sleep(0.05)
    assert "hunter2" not in server.log.read_text()


def test_health(server: Server) -> None:
    for path in ("/healthz", "/readyz", "/metrics", "/"):
        assert server.get(path).status == 200
    assert b"bonded_requests_total" in server.get("/metrics").body


def test_a_path_prefix(bonded: Bonded) -> None:
    bonded.run("feed", "create", "team", "--public")
    bonded.run("upload", "--feed", "team", WHEEL.write(bonded.data.parent))
    with serving(bonded, "--url", "https://pkg.example/pkgs/") as server:
        assert "https://pkg.example/pkgs/FEED/simple/" in server.log.read_text()
        url = bonded.run("index-url", "team").stdout.strip()
        assert url == "https://pkg.example/pkgs/team/simple/"
        # A proxy may strip the prefix, or pass it on.
        for prefix in ("", "/pkgs"):
            assert server.page(f"{prefix}{PAGE}")["files"]
            assert server.get(f"{prefix}{FILE}").body == WHEEL.body
            assert server.get(f"{prefix}/healthz").status == 200


def test_tls(bonded: Bonded, tmp_path: Path) -> None:
    authority = trustme.CA()
    chain = authority.issue_cert("127.0.0.1")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    chain.cert_chain_pems[0].write_to_path(cert)
    chain.private_key_pem.write_to_path(key)
    context = ssl.create_default_context()
    authority.configure_trust(context)
    bonded.run("feed", "create", "team", "--public")
    bonded.run("serve", "--tls-cert", cert, code=2)
    with serving(bonded, "--tls-cert", str(cert), "--tls-key", str(key), trust=context) as server:
        assert server.url.startswith("https://")
        connection = HTTPSConnection("127.0.0.1", server.port, context=context, timeout=20)
        connection.request("GET", "/team/simple/", headers={"Accept": JSON})
        assert json.loads(connection.getresponse().read())["projects"] == []
        connection.close()
        assert bonded.run("index-url", "team").stdout.startswith("https://127.0.0.1")
