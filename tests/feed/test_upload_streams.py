"""Uploads as streams: cut off, of the wrong length, refused in the middle, and very large."""

from __future__ import annotations

import hashlib
import socket
import zipfile
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest
import requests

from support.dists import metadata, wheel
from support.serving import basic, children, form, upload
from support.uploading import PATH, Place, head, hosting, refused, until, wire

LIMIT = 400 << 20
WHEEL = wheel("cut", extra={"noise": bytes(range(256)) * 12_000}, stored=True)
MARK, MIB = b"(here)", 1 << 20


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    yield from hosting(tmp_path_factory.mktemp("streams"), BONDED_MAX_FILE_SIZE=str(LIMIT))


@pytest.fixture
def body() -> bytes:
    return form(WHEEL.filename, WHEEL.body)[0]


def answer(connection: socket.socket) -> str:
    """The status line of what comes back; empty if the connection is closed."""
    with connection.makefile("rb") as got:
        return got.readline().decode().strip()


@pytest.mark.parametrize("part", [0.0, 0.01, 0.5, 0.999])
def test_a_client_that_leaves_half_way_leaves_nothing(
    place: Place, body: bytes, part: float
) -> None:
    with place.nothing_kept():
        with wire(place.server) as connection:
            connection.sendall(head(len(body), place.token) + body[: int(len(body) * part)])
            if part:
                assert until(lambda: place.spooled != [])
        assert until(lambda: not place.spooled)
    assert place.files("cut") == {}


def test_who_stops_sending_but_listens_is_told(place: Place, body: bytes) -> None:
    with place.nothing_kept(), wire(place.server) as connection:
        connection.sendall(head(len(body), place.token) + body[:-1000])
        connection.shutdown(socket.SHUT_WR)
        assert answer(connection) == "HTTP/1.1 400 Bad Request"


def test_a_length_of_more_than_is_sent(place: Place, body: bytes) -> None:
    with place.nothing_kept(), wire(place.server) as connection:
        # The form is whole, and yet the request is not.
        connection.sendall(head(len(body) + 5000, place.token) + body)
        connection.shutdown(socket.SHUT_WR)
        assert answer(connection) == "HTTP/1.1 400 Bad Request"
    assert place.files("cut") == {}


@pytest.mark.parametrize("missing", [3, 1000, len(WHEEL.body)])
def test_a_length_of_less_than_is_sent(place: Place, body: bytes, missing: int) -> None:
    with place.nothing_kept(), wire(place.server) as connection:
        connection.sendall(head(len(body) - missing, place.token) + body)
        assert answer(connection) == "HTTP/1.1 400 Bad Request"
    assert place.files("cut") == {}


@pytest.mark.parametrize("length", ["-5", "many", "1e3", "0x10"])
def test_a_length_that_is_no_number(place: Place, body: bytes, length: str) -> None:
    with place.nothing_kept(), wire(place.server) as connection:
        connection.sendall(head(length, place.token))
        assert answer(connection) == "HTTP/1.1 400 Bad Request"


def test_a_chunked_form_that_stops(place: Place, body: bytes) -> None:
    whole = head(0, place.token).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    with place.nothing_kept():
        for end in (b"", b"zz\r\n"):
            with wire(place.server) as connection:
                connection.sendall(whole + b"%x\r\n%s\r\n" % (len(body), body) + end)
                connection.shutdown(socket.SHUT_WR)
                assert answer(connection) == "HTTP/1.1 400 Bad Request"
    assert place.files("cut") == {}


@pytest.mark.parametrize("scope", ["wrong", "read", "foreign"])
def test_the_token_is_looked_at_before_the_body(place: Place, body: bytes, scope: str) -> None:
    if scope == "foreign":
        place.bonded.run("feed", "create", "elsewhere")
    tokens = {
        "wrong": lambda: "bnd_no",
        "read": lambda: place.bonded.token("team", scope="read"),
        "foreign": lambda: place.bonded.token("elsewhere"),
    }
    status = "401 Unauthorized" if scope == "wrong" else "403 Forbidden"
    token = tokens[scope]()
    with place.nothing_kept(), wire(place.server) as connection:
        # The rest of the body never comes; the answer does.
        connection.sendall(head(len(body), token) + body[:1000])
        assert answer(connection) == f"HTTP/1.1 {status}"


def test_who_asks_before_sending_is_not_let_send_for_nothing(place: Place, body: bytes) -> None:
    with wire(place.server) as connection:
        connection.sendall(head(len(body), "bnd_no", "Expect: 100-continue"))
        assert answer(connection) == "HTTP/1.1 401 Unauthorized"
    with wire(place.server) as connection:
        connection.sendall(head(len(body), place.token, "Expect: 100-continue"))
        assert answer(connection) == "HTTP/1.1 100 Continue"


def test_who_sends_it_all_reads_why_it_was_refused(place: Place) -> None:
    big = bytes(20 * MIB)
    with place.nothing_kept():
        refused(
            upload(place.server, PATH, "a-1-py3-none-any.whl", big, "bnd_no"), 401, "unknown-token"
        )
        reply = requests.post(
            place.server.url + PATH,
            files={"content": ("a-1-py3-none-any.whl", big)},
            auth=("__token__", "bnd_no"),
            timeout=60,
        )
    assert reply.status_code == 401
    assert reply.json()["detail"]


def test_who_asked_before_sending_too_much_reads_why(place: Place) -> None:
    """Refused in the middle of a body that it was told to send."""
    length = LIMIT + 9 * MIB
    with place.nothing_kept(), wire(place.server) as connection:
        connection.sendall(head(length, place.token, "Expect: 100-continue"))
        got = connection.makefile("rb")
        assert got.readline() == b"HTTP/1.1 100 Continue\r\n"
        start = form(WHEEL.filename, MARK)[0].partition(MARK)[0]
        connection.sendall(start)
        left, block = length - len(start), bytes(MIB)
        while left:
            left -= connection.send(block[: min(left, MIB)])
        assert got.readline() == b"\r\n"
        assert got.readline() == b"HTTP/1.1 413 Payload Too Large\r\n"


def peak(place: Place) -> int:
    """The most memory that any worker has held so far, in bytes."""
    most = 0
    for pid in children(place.server.process.pid):
        status = Path(f"/proc/{pid}/status").read_text()
        kib = next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]
        most = max(most, int(kib) << 10)
    return most


class _Sink:
    """Where a ZIP is written to that nobody keeps."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self.pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        pass

    def take(self) -> bytes:
        taken, self.pieces = b"".join(self.pieces), []
        return taken


def large_wheel(name: str, size: int) -> Iterator[bytes]:
    """A stored wheel of about `size` bytes, a piece at a time."""
    sink, info = _Sink(), f"{name}-1.0.dist-info"
    noise = hashlib.shake_256(b"noise").digest(MIB)
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[arg-type]
        with archive.open(f"{name}/noise", "w", force_zip64=True) as member:
            for _ in range(size // MIB):
                member.write(noise)
                yield sink.take()
        archive.writestr(f"{info}/METADATA", metadata(name, "1.0"))
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\n")
        archive.writestr(f"{info}/RECORD", "")
    yield sink.take()


def large_form(filename: str, pieces: Iterator[bytes], digest: hashlib._Hash) -> Iterator[bytes]:
    before, after = form(filename, MARK)[0].split(MARK)
    yield before
    for piece in pieces:
        digest.update(piece)
        yield piece
    yield after


def test_a_large_wheel_takes_no_more_memory_than_a_small_one(place: Place) -> None:
    small = wheel("small")
    assert place.upload(small.filename, small.body).status == 200
    before, digest = peak(place), hashlib.sha256()
    filename = "large-1.0-py3-none-any.whl"
    body = large_form(filename, large_wheel("large", 300 * MIB), digest)
    reply = place.post(body, form("", b"")[1]["Content-Type"])
    assert reply.status == 200, reply
    assert place.files("large")[filename]["hashes"] == {"sha256": digest.hexdigest()}
    assert fetched(place, f"/team/files/large/{filename}") == digest.hexdigest()
    assert peak(place) - before < 120 * MIB
    place.bonded.run("delete", "--feed", "team", filename)  # its room is not needed any more


def fetched(place: Place, path: str) -> str:
    """The sha256 of a file as it is served."""
    connection = HTTPConnection("127.0.0.1", place.server.port, timeout=60)
    digest = hashlib.sha256()
    try:
        connection.request("GET", path, headers={"Authorization": basic(place.token)})
        response = connection.getresponse()
        while piece := response.read(MIB):
            digest.update(piece)
    finally:
        connection.close()
    return digest.hexdigest()
