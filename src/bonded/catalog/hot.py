"""The questions of the hot path, on a raw connection that is kept open.

No SQLAlchemy here: a worker asks one of these for every request.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from bonded.catalog.pages import COLUMNS
from bonded.catalog.pages import page as page_of
from bonded.model.files import Basis
from bonded.ports import StoredPage

_REVISIONS = "SELECT key, value FROM revisions WHERE key IN ({})"
_PAGE = f"SELECT {COLUMNS} FROM pages WHERE feed = ? AND project = ?"  # noqa: S608


class SqliteFreshness:
    """Whether what is remembered still holds, by `PRAGMA data_version`.

    SQLite changes that number on a connection whenever another one, of any process, commits. This
    connection never writes, so it sees every commit.
    """

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None
        )
        self._ask = self.connection.cursor()
        self._seen = -1

    def moved(self) -> bool:
        """Whether anything was committed since this was last asked."""
        (now,) = self._ask.execute("PRAGMA data_version").fetchone()
        if now == self._seen:
            return False
        self._seen = now
        return True

    def holds(self, basis: Basis) -> bool:
        """Whether every revision in `basis` is still the current one."""
        marks = ",".join("?" * len(basis.revisions))
        keys = [key for key, _ in basis.revisions]
        found: dict[str, int] = dict(self._ask.execute(_REVISIONS.format(marks), keys).fetchall())
        return all(found.get(key, 0) == value for key, value in basis.revisions)

    def page(self, feed: int, name: str) -> StoredPage | None:
        """A stored page."""
        row = self._ask.execute(_PAGE, (feed, name)).fetchone()
        return page_of(row) if row is not None else None

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()
