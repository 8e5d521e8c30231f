"""A wheel's METADATA out of a few ranges of its bytes, never the whole.

A ZIP archive's directory stands at its end. `metadata` runs the ordinary ZIP reader over the parts
that have been fetched; where it reads beyond them it says which part is needed next.
"""

from __future__ import annotations

import io
import zipfile

from bonded.simple.archives import BROKEN, MAX_METADATA, dist_info, read_member, refusal

#: The last bytes of a wheel to fetch first: the directory of most wheels, often METADATA too.
FIRST_TAIL = 16 << 10
_CHUNK = 8 << 10


class Needed(Exception):
    """The reader wants `length` bytes from `start`."""

    def __init__(self, start: int, length: int) -> None:
        super().__init__(start, length)
        self.start, self.length = start, length


class Sparse(io.RawIOBase):
    """A file of `size` bytes of which only some parts are there."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size, self.position = size, 0
        self.parts: list[tuple[int, bytes]] = []

    def add(self, start: int, body: bytes) -> None:
        """Put in the bytes that stand at `start`."""
        self.parts.append((start, body))

    def seekable(self) -> bool:
        """Whether `seek` works: it does."""
        return True

    def readable(self) -> bool:
        """Whether `read` works: it does."""
        return True

    def tell(self) -> int:
        """Where the next read begins."""
        return self.position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move; as for any file."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self.position, io.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise ValueError("negative seek position")
        self.position = base + offset
        return self.position

    def read(self, length: int = -1) -> bytes:
        """Read; raises `Needed` where the bytes are not there yet."""
        end = self.size if length < 0 else min(self.position + length, self.size)
        start, self.position = self.position, end
        if end <= start:
            return b""
        for first, body in self.parts:
            if first <= start and end <= first + len(body):
                return body[start - first : end - first]
        raise Needed(start, end - start)


def metadata(sparse: Sparse, filename: str) -> bytes:
    """METADATA of the wheel; raises `Needed`, or `BadInput` if it is no wheel."""
    try:
        with zipfile.ZipFile(sparse) as archive:
            folder = dist_info(filename, archive.namelist())
            member = archive.getinfo(f"{folder}/METADATA")
            if member.compress_size > MAX_METADATA:
                raise refusal(filename, "its METADATA is too large")
            _reach(sparse, member)
            return read_member(archive, member.filename, filename)
    except KeyError:
        raise refusal(filename, "it has no METADATA") from None
    except BROKEN as error:
        raise refusal(filename, f"it is not a sound ZIP archive ({error})") from None


def _reach(sparse: Sparse, member: zipfile.ZipInfo) -> None:
    """Ask for the whole member at once rather than for each small read of it."""
    # A local header is 30 bytes, the filename and an extra field of its own.
    length = 30 + len(member.filename) + 512 + member.compress_size
    sparse.seek(member.header_offset)
    sparse.read(max(length, _CHUNK))
