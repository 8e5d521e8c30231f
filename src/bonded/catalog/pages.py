"""Our own pages, rendered."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, text

from bonded.model.files import Basis
from bonded.ports import StoredPage

_PUT = text(
    "INSERT INTO pages (feed, project, basis, etag, json, html, entries)"
    " VALUES (:feed, :project, :basis, :etag, :json, :html, :entries)"
    " ON CONFLICT (feed, project) DO UPDATE SET basis = excluded.basis, etag = excluded.etag,"
    " json = excluded.json, html = excluded.html, entries = excluded.entries"
)
#: As `catalog.hot` reads it, without SQLAlchemy.
COLUMNS = "basis, etag, json, html, entries"

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Basis).decode


class SqlPages:
    """Pages in a table."""

    def __init__(self, connection: Connection) -> None:
        self._on = connection

    def get(self, feed: int, name: str) -> StoredPage | None:
        query = text(f"SELECT {COLUMNS} FROM pages WHERE feed = :feed AND project = :name")  # noqa: S608
        row = self._on.execute(query, {"feed": feed, "name": name}).first()
        return page(tuple(row)) if row is not None else None

    def put(self, feed: int, name: str, page: StoredPage) -> None:
        """Replace a page."""
        values = {
            "feed": feed,
            "project": name,
            "basis": _encode(page.basis),
            "etag": page.etag,
            "json": page.json_gz,
            "html": page.html_gz,
            "entries": page.entries,
        }
        self._on.execute(_PUT, values)


def page(row: tuple[bytes, str, bytes, bytes, bytes]) -> StoredPage:
    """A page out of a row of `COLUMNS`."""
    basis, etag, json_gz, html_gz, entries = row
    return StoredPage(
        basis=_decode(basis), etag=etag, json_gz=json_gz, html_gz=html_gz, entries=entries
    )
