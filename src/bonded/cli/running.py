"""The server that runs on a data folder: there is at most one, and what it left must be tidied."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bonded.model.disk import told
from bonded.model.problems import Conflict

if TYPE_CHECKING:
    from bonded.app.folder import Folder
    from bonded.settings import Settings

LOCK = "serve.lock"
#: Within this many seconds the workers of a server that was killed have noticed, and ended.
ORPHANED = 5.0


@contextmanager
def alone(data: Path, said: dict[str, object]) -> Iterator[bool]:
    """Be the only server on a data folder; says whether the one before ended cleanly.

    Raises `Conflict` with the other one's process and port.
    """
    with told(data / LOCK):
        handle = os.open(data / LOCK, os.O_RDWR | os.O_CREAT, 0o640)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _taken(data) from None
        clean = os.fstat(handle).st_size == 0
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(said).encode(), 0)
        yield clean
        os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def _taken(data: Path) -> Conflict:
    other = running(data) or {}
    return Conflict(
        f"The data folder {data} is served already, by process {other.get('pid', '?')} on port"
        f" {other.get('port', '?')}.",
        code="already-served",
        hint="Stop that one first, or raise its --workers; commands work beside it.",
    )


def running(data: Path) -> dict[str, object] | None:
    """What the server on a data folder says of itself, if one runs."""
    try:
        handle = os.open(data / LOCK, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            said = json.loads(os.pread(handle, 65536, 0) or b"{}")
            return said if isinstance(said, dict) else {}
        return None
    finally:
        os.close(handle)


def base_url(settings: Settings) -> str:
    """Where clients reach the server: as it was told, else as it says itself."""
    said = running(settings.data) or {}
    url = settings.url or said.get("url")
    return str(url or address(settings)).rstrip("/")


def address(settings: Settings) -> str:
    """The URL by which the server is reached from this machine."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
    return socket_url(settings, everywhere.get(settings.host, settings.host))


def socket_url(settings: Settings, host: str) -> str:
    """A URL of the server under a name or an address."""
    scheme = "https" if settings.tls_cert else "http"
    host = f"[{host}]" if ":" in host else host
    return f"{scheme}://{host}:{settings.port}"


def tidy_after(folder: Folder, clean: bool) -> int | None:
    """Tidy up after the last server if it was interrupted: how many files; None if it was not.

    A worker that was killed alone is told by the temporary files it left.
    """
    left = folder.spool.sweep(0 if clean else ORPHANED)
    return None if clean and not left else left + asyncio.run(tidy(folder))


async def tidy(folder: Folder) -> int:
    """Remove what interrupted work has left; how many files that were."""
    from bonded.operations.sweep import Sweep

    left = folder.spool.sweep()
    return left + await Sweep(folder.catalog, folder.blobs).everything()
