"""Receive bytes into temporary files of this process's own."""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bonded.model.disk import told

#: A temporary file not written to for this long belongs to a process that died.
ABANDONED = 24 * 3600.0


class SpooledFile:
    """Bytes being received: appended and hashed at once."""

    def __init__(self, path: Path) -> None:
        self.path, self.size = path, 0
        self._hash = hashlib.sha256()
        with told(path):
            self._file: int | None = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o640)

    def write(self, data: bytes) -> None:
        """Append and hash. Raises `NoRoom` when the disk will not take it."""
        assert self._file is not None, "written to after it was closed"
        view = memoryview(data)
        with told(self.path):
            while view:
                view = view[os.write(self._file, view) :]
        self._hash.update(data)
        self.size += len(data)

    def sync(self) -> None:
        """Make what was written survive a loss of power."""
        assert self._file is not None, "synced after it was closed"
        with told(self.path):
            os.fsync(self._file)

    def sha256(self) -> str:
        """The hash of what was written, in hex."""
        return self._hash.hexdigest()

    def close(self) -> None:
        """Remove the temporary file; what a store has kept of it stays."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
            with suppress(FileNotFoundError):
                self.path.unlink()


class DiskSpool:
    """A folder of temporary files, and the lock that tells whether anybody is at work in it.

    Every process that writes holds the lock shared. Who gets it for itself alone knows that all
    files there were left by processes that died.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with told(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(folder.parent / "spool.lock", os.O_RDWR | os.O_CREAT, 0o640)
            fcntl.flock(self._lock, fcntl.LOCK_SH)

    def new(self) -> SpooledFile:
        """Begin a temporary file."""
        return SpooledFile(self.folder / f"{os.getpid()}-{secrets.token_hex(8)}")

    def close(self) -> None:
        """Give the lock back."""
        os.close(self._lock)

    def sweep(self, patience: float = 0) -> int:
        """Remove what processes that died have left; the number of files removed.

        Waits for up to `patience` seconds for those that still work here to end.
        """
        with self._alone(time.monotonic() + patience) as alone:
            left = [p for p in self.folder.iterdir() if alone or _abandoned(p)]
            for path in left:
                path.unlink(missing_ok=True)
        return len(left)

    @contextmanager
    def _alone(self, end: float) -> Iterator[bool]:
        while not (alone := self._try_alone()) and time.monotonic() < end:
            time.sleep(0.05)
        try:
            yield alone
        finally:
            # Converting a lock may also lose the shared one on the way.
            fcntl.flock(self._lock, fcntl.LOCK_SH)

    def _try_alone(self) -> bool:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _abandoned(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > ABANDONED
    except FileNotFoundError:
        return False
