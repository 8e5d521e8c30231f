"""A feed to upload to, forms of any shape, and what must hold after a refusal."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.serving import Bonded, Reply, Server, basic, serving, upload

PATH = "/team/legacy/"
BOUNDARY = "----bonded-tests"


@dataclass
class Place:
    """A server with a feed `team`, and a token that may write to it."""

    bonded: Bonded
    server: Server
    token: str

    def upload(self, filename: str, content: bytes, **fields: str) -> Reply:
        return upload(self.server, PATH, filename, content, self.token, **fields)

    def post(self, body: Any, kind: str | None = None, **headers: str) -> Reply:
        """Any body, as a form unless another `kind` is given."""
        named = {"Content-Type": kind or f"multipart/form-data; boundary={BOUNDARY}"}
        named |= {k.replace("_", "-"): v for k, v in headers.items()}
        return self.server.request("POST", PATH, token=self.token, headers=named, body=body)

    def parts(self, *parts: bytes) -> Reply:
        """A form made of whole parts."""
        return self.post(joined(parts))

    def files(self, project: str) -> dict[str, Any]:
        """The files on a project's page, by filename; none if there is no such page."""
        if self.server.get(f"/team/simple/{project}/", self.token).status == 404:
            return {}
        page = self.server.page(f"/team/simple/{project}/", self.token)
        return {file["filename"]: file for file in page["files"]}

    def file(self, path: str) -> Reply:
        return self.server.get(path, self.token)

    @property
    def spooled(self) -> list[str]:
        return listed(self.bonded.data / "spool")

    @property
    def blobs(self) -> set[str]:
        return {p.name for p in (self.bonded.data / "blobs").glob("*/*")}

    @contextmanager
    def nothing_kept(self) -> Iterator[None]:
        """What happens in here leaves nothing behind."""
        before = self.blobs
        yield
        assert until(lambda: not self.spooled), self.spooled
        assert self.blobs == before


def joined(parts: Iterable[bytes], end: bytes = b"--\r\n") -> bytes:
    """The parts of a form between their boundaries."""
    edge = f"--{BOUNDARY}".encode()
    return b"".join(edge + b"\r\n" + part + b"\r\n" for part in parts) + edge + end


def field(name: str, value: bytes | str) -> bytes:
    """A field of a form."""
    body = value.encode() if isinstance(value, str) else value
    return f'Content-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + body


def content(filename: str, body: bytes, name: str = "content", more: str = "") -> bytes:
    """The file of a form."""
    head = f'Content-Disposition: form-data; name="{name}"; filename="{filename}"\r\n{more}\r\n'
    return head.encode() + body


def hosting(folder: Path, *options: str, **environment: str) -> Iterator[Place]:
    """A place; when it is left, everything that is listed must be there and nothing else."""
    bonded = Bonded(folder / "data")
    bonded.environment |= environment
    bonded.run("feed", "create", "team")
    token = bonded.token("team")
    with serving(bonded, *options) as server:
        yield Place(bonded, server, token)
    assert clean(bonded) == 0


def clean(bonded: Bonded) -> int:
    """`bonded check` finds nothing wrong; how much it had to remove."""
    report = bonded.json("check")
    assert report["report"]["faults"] == [], report
    assert report["strays"] == [], report
    return int(report["removed"])


def refused(reply: Reply, status: int, code: str) -> str:
    """The reply is a refusal, said in a sentence, which is returned."""
    assert reply.status == status, reply
    assert reply.headers["content-type"] == "application/problem+json"
    problem = reply.problem
    assert problem["status"] == status
    assert problem["code"] == code, problem
    detail = str(problem["detail"])
    assert detail.endswith(".")
    assert " " in detail
    return detail


def head(length: int | str, token: str, *more: str) -> bytes:
    """The head of an upload, as it goes over the wire."""
    lines = [
        f"POST {PATH} HTTP/1.1",
        "Host: feed",
        f"Authorization: {basic(token)}",
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}",
        f"Content-Length: {length}",
        *more,
    ]
    return "\r\n".join([*lines, "\r\n"]).encode()


@contextmanager
def wire(server: Server) -> Iterator[socket.socket]:
    """A bare connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        yield connection


def listed(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def until(holds: Callable[[], bool], seconds: float = 20) -> bool:
    """Whether it comes to hold."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
