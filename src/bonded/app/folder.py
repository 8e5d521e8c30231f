"""An open data folder, embedded: SQLite and files."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bonded.blobs.local import LocalBlobs
from bonded.blobs.spool import DiskSpool
from bonded.catalog.engine import SqliteCatalog
from bonded.catalog.folder import prepare
from bonded.model.disk import told
from bonded.model.problems import BadInput

CATALOG = "catalog.db"


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


@dataclass
class Folder:
    """An open data folder: the catalog, the blobs and the spool."""

    path: Path
    identity: str
    catalog: SqliteCatalog
    blobs: LocalBlobs
    spool: DiskSpool

    def close(self) -> None:
        """Let go of it."""
        self.catalog.close()
        self.spool.close()


def open_folder(path: Path) -> Folder:
    """Open a data folder, and make it if there is none. Raises `Problem` with what is wrong."""
    with told(path / CATALOG):
        _make(path)
        identity = _identity(path)
    prepare(path / CATALOG)
    return Folder(
        path=path,
        identity=identity,
        catalog=SqliteCatalog(path / CATALOG, now),
        blobs=LocalBlobs(path / "blobs"),
        spool=DiskSpool(path / "spool"),
    )


@contextmanager
def folder(path: Path) -> Iterator[Folder]:
    """An open data folder for the time of a command."""
    opened = open_folder(path)
    try:
        yield opened
    finally:
        opened.close()


def _make(path: Path) -> None:
    try:
        # Private names and metadata lie in it, for nobody but its user to read.
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (FileExistsError, FileNotFoundError, NotADirectoryError) as error:
        why = "it is a file" if path.is_file() else str(error.strerror)
        raise BadInput(
            f"{path} cannot be the data folder: {why}.",
            code="bad-data-folder",
            hint="Give another folder with --data or BONDED_DATA.",
        ) from None


def _identity(path: Path) -> str:
    """A word of its own for every data folder, by which its servers know their own requests."""
    file = path / "identity"
    with suppress(FileExistsError), file.open("x", encoding="ascii") as new:
        new.write(f"bonded-{secrets.token_hex(8)}\n")
    return file.read_text("ascii").strip()
