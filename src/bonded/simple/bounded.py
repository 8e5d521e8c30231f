"""Files that the readers of archives cannot be made to read into memory at will."""

from __future__ import annotations

import io
from typing import IO

#: The largest directory of a ZIP, in bytes: its reader holds all of it.
MAX_DIRECTORY = 16 << 20
#: The most that may stand before a member of a tar: its reader holds long names and attributes.
MAX_HEADERS = 1 << 20


class Sipped(io.RawIOBase):
    """A file that gives no more than `MAX_DIRECTORY` bytes at once."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__()
        self._file = file

    def seekable(self) -> bool:
        """Whether `seek` works: it does."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move; as for any file."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Where the next read begins."""
        return self._file.tell()

    def read(self, length: int = -1) -> bytes:
        """Read; raises `ValueError` where too much is asked for."""
        if length > MAX_DIRECTORY:
            raise ValueError("its directory is too large")
        return self._file.read(length)


class Bounded(io.RawIOBase):
    """A stream of which no more than `most` bytes can be read; who reads it moves that bound."""

    def __init__(self, file: io.BufferedIOBase) -> None:
        super().__init__()
        self._file, self._position, self.most = file, 0, MAX_HEADERS

    def read(self, length: int = -1) -> bytes:
        """Read; raises `ValueError` beyond the bound."""
        body = self._file.read(length)
        self._position += len(body)
        if self._position > self.most:
            raise ValueError("what stands before a member is too large")
        return body
