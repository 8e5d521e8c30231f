"""Blobs in a folder: `blobs/ab/<sha256>`, each written once and never changed."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

from bonded.blobs.spool import SpooledFile
from bonded.model.disk import told
from bonded.model.problems import NotFound
from bonded.ports import Spooled

_KEY = re.compile(r"[0-9a-f]{64}", re.ASCII)
CHUNK = 256 << 10


class LocalArtifact:
    """A file on this machine; `path` lets the HTTP server send it without reading it here."""

    def __init__(self, path: Path, size: int) -> None:
        self.path, self.size = path, size

    async def read(self, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` up to, not including, `end`."""
        position, stop = start, self.size if end is None else min(end, self.size)
        file = os.open(self.path, os.O_RDONLY)
        try:
            while position < stop:
                length = min(CHUNK, stop - position)
                piece = await asyncio.to_thread(os.pread, file, length, position)
                if not piece:
                    return
                position += len(piece)
                yield piece
        finally:
            os.close(file)


class LocalBlobs:
    """A folder of blobs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with told(folder):
            folder.mkdir(parents=True, exist_ok=True)

    def path(self, key: str) -> Path:
        """Where the bytes of `key` lie, or would."""
        return self.folder / key[:2] / key

    async def put(self, key: str, spooled: Spooled) -> None:
        """Keep the spooled bytes; they are durable when this returns. Idempotent."""
        assert isinstance(spooled, SpooledFile)
        await asyncio.to_thread(self._put, key, spooled)

    def _put(self, key: str, spooled: SpooledFile) -> None:
        spooled.sync()
        final = self.path(key)
        with told(final):
            if not final.parent.is_dir():
                final.parent.mkdir(exist_ok=True)
                _sync(self.folder)
            # A link, not a rename: should a sweep take the blob before it is listed, the
            # temporary file is still there to link again.
            with suppress(FileExistsError):
                os.link(spooled.path, final)
            _sync(final.parent)

    def open(self, key: str) -> LocalArtifact:
        """The bytes of `key`. Raises `NotFound` if there are none."""
        path = self.path(key)
        try:
            return LocalArtifact(path, path.stat().st_size)
        except FileNotFoundError:
            raise NotFound(
                f"The bytes {key[:12]}… are missing from the data folder.",
                code="blob-missing",
                hint="Run 'bonded check' and restore the folder from its backup.",
            ) from None

    def there(self, key: str) -> bool:
        """Whether `key` is kept."""
        return self.path(key).exists()

    def delete(self, key: str) -> None:
        """Forget `key`."""
        self.path(key).unlink(missing_ok=True)

    def keys(self) -> Iterator[str]:
        """Every key there is, in no order."""
        return (p.name for p in self._files() if _is_key(p))

    def strays(self) -> Iterator[Path]:
        """Files in the folder that are no blobs: none of ours."""
        return (p for p in self._files() if not _is_key(p))

    def _files(self) -> Iterator[Path]:
        for entry in self.folder.iterdir():
            if entry.is_dir():
                yield from entry.iterdir()
            else:
                yield entry


def _is_key(path: Path) -> bool:
    return _KEY.fullmatch(path.name) is not None and path.parent.name == path.name[:2]


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
