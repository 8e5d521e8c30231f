"""In-memory fakes of the ports, for tests of whatever is built on them.

They pass the contract suites of their ports under `tests/contracts/`.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from packaging.utils import NormalizedName

from bonded.model.files import Project
from bonded.model.problems import NotFound, Problem
from bonded.ports import Answer, Artifact, Ranged, Spooled, Validators

__all__ = [
    "FakeRemote",
    "FixedClock",
    "MemoryArtifact",
    "MemoryBlobs",
    "MemoryIndex",
    "MemorySpool",
    "MemorySpooled",
]

_PIECE = 64 << 10


@dataclass
class FixedClock:
    """A clock that stands still until it is moved."""

    at: datetime = datetime(2026, 1, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The time it stands at."""
        return self.at

    def move(self, **by: float) -> None:
        """Move on, by `days`, `hours`, `minutes`, `seconds`."""
        self.at += timedelta(**by)


@dataclass(frozen=True)
class MemoryArtifact:
    """Bytes at hand."""

    body: bytes

    @property
    def size(self) -> int | None:
        """How many there are."""
        return len(self.body)

    async def read(self, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` up to, not including, `end`."""
        part = self.body[start:end]
        for at in range(0, len(part), _PIECE):
            yield part[at : at + _PIECE]


class MemorySpooled:
    """Bytes being received. The port gives them a path, so they lie in a temporary file too."""

    def __init__(self) -> None:
        self._handle, name = tempfile.mkstemp(prefix="bonded-testing-")
        self.path, self.body, self.closed = Path(name), b"", False

    @property
    def size(self) -> int:
        """How many have been written."""
        return len(self.body)

    def write(self, data: bytes) -> None:
        """Append."""
        assert not self.closed, "written to after it was closed"
        os.write(self._handle, data)
        self.body += bytes(data)

    def sha256(self) -> str:
        """The hash of what was written, in hex."""
        return hashlib.sha256(self.body).hexdigest()

    def close(self) -> None:
        """Remove the temporary file."""
        if not self.closed:
            self.closed = True
            os.close(self._handle)
            self.path.unlink(missing_ok=True)


@dataclass
class MemorySpool:
    """A spool that remembers what it handed out."""

    handed_out: list[MemorySpooled] = field(default_factory=list)

    def new(self) -> MemorySpooled:
        """Begin a temporary file."""
        self.handed_out.append(MemorySpooled())
        return self.handed_out[-1]


@dataclass
class MemoryBlobs:
    """Blobs in a dictionary."""

    kept: dict[str, bytes] = field(default_factory=dict)

    async def put(self, key: str, spooled: Spooled) -> None:
        """Keep the spooled bytes. Idempotent."""
        self.kept.setdefault(key, spooled.path.read_bytes())

    def open(self, key: str) -> MemoryArtifact:
        """The bytes of `key`. Raises `NotFound` if there are none."""
        if key not in self.kept:
            raise NotFound(f"The bytes {key[:12]}… are missing.", code="blob-missing")
        return MemoryArtifact(self.kept[key])

    def there(self, key: str) -> bool:
        """Whether `key` is kept."""
        return key in self.kept

    def delete(self, key: str) -> None:
        """Forget `key`."""
        self.kept.pop(key, None)

    def keys(self) -> Iterator[str]:
        """Every key there is."""
        return iter(list(self.kept))


class MemoryIndex:
    """An index over given projects that remembers what it was asked; a `Problem` is raised."""

    def __init__(self, *projects: Project, problem: Problem | None = None) -> None:
        self.projects = {p.name: p for p in projects}
        self.problem = problem
        self.asked: list[NormalizedName] = []

    async def project(self, name: NormalizedName) -> Project:
        """The project, or one that is absent."""
        self.asked.append(name)
        if self.problem is not None:
            raise self.problem
        return self.projects.get(name) or Project(name=name, absent=f"there is no {name} here")


@dataclass
class FakeRemote:
    """An index on another server that answers as told, in order; the last answer stays.

    `before` is awaited before an answer is given, so that a test can hold it back. `files` are
    bodies by URL.
    """

    answers: list[Answer | Problem]
    label: str = "the fake upstream"
    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    before: Callable[[], Awaitable[None]] | None = None
    asked: list[tuple[NormalizedName, Validators | None]] = field(default_factory=list)
    read: list[tuple[str, int | None, int]] = field(default_factory=list)

    async def ask(self, name: NormalizedName, known: Validators | None) -> Answer:
        """Say what was told to say next."""
        self.asked.append((name, known))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if self.before is not None:
            await self.before()
        if isinstance(answer, Problem):
            raise answer
        return answer

    async def open(self, url: str) -> Artifact:
        """Open a file. Raises `NotFound`."""
        if url not in self.files:
            raise NotFound(f"{self.label} no longer has this file.", code="upstream-file-gone")
        return MemoryArtifact(self.files[url])

    async def tail(self, url: str, start: int | None, length: int) -> Ranged | None:
        """A range of a file, and remember that it was read."""
        self.read.append((url, start, length))
        body = self.files[url]
        if not self.ranges:
            return None
        first = max(0, len(body) - length) if start is None else start
        return Ranged(first, body[first : first + length], len(body))
