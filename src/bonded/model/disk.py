"""What a disk says when it will not, in sentences."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bonded.model.problems import NoRoom, Problem

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_CLOSED = {errno.EROFS, errno.EACCES, errno.EPERM}


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn a full or closed disk into a `NoRoom` that says so."""
    try:
        yield
    except OSError as error:
        problem = refusal(error, path)
        if problem is None:
            raise
        raise problem from error


def refusal(error: OSError, path: Path) -> Problem | None:
    """What to tell of a disk's refusal; None if the error is of another kind."""
    if error.errno in _FULL:
        return NoRoom(
            "The disk of the data folder is full; nothing was kept.",
            code="disk-full",
            hint="Make room on it and send the file again.",
        )
    if error.errno in _CLOSED:
        return NoRoom(
            f"The data folder cannot be written ({path.parent}: {error.strerror}).",
            code="folder-not-writable",
            hint="Give the user that runs bonded write access to the folder.",
        )
    return None
