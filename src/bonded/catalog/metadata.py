"""METADATA files by their sha256, and which upstream wheels they were made for."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping

from packaging.utils import NormalizedName
from sqlalchemy import Connection, delete, select, text

from bonded.catalog import schema as s
from bonded.catalog.revisions import SqlRevisions
from bonded.model import keys
from bonded.model.files import File

_PUT = text(
    "INSERT INTO core_metadata (sha256, body) VALUES (:sha256, :body)"
    " ON CONFLICT (sha256) DO NOTHING"
)
_DESCRIBE = text(
    "INSERT INTO described (upstream, filename, project, blob, metadata)"
    " VALUES (:upstream, :filename, :project, :blob, :metadata)"
    " ON CONFLICT (upstream, filename)"
    " DO UPDATE SET blob = excluded.blob, metadata = excluded.metadata"
)


class SqlMetadata:
    """Metadata in a table, compressed; wheels of one release mostly share theirs."""

    def __init__(self, connection: Connection, revisions: SqlRevisions) -> None:
        self._on, self._revisions = connection, revisions

    def put(self, body: bytes) -> str:
        """Keep a METADATA file; its sha256 in hex."""
        sha256 = hashlib.sha256(body).hexdigest()
        self._on.execute(_PUT, {"sha256": sha256, "body": zlib.compress(body)})
        return sha256

    def get(self, sha256: str) -> bytes | None:
        query = select(s.core_metadata.c.body).where(s.core_metadata.c.sha256 == sha256)
        found = self._on.execute(query).scalar()
        return zlib.decompress(found) if found is not None else None

    def describe(self, upstream: int, file: File, sha256: str) -> None:
        """Remember the metadata of an upstream's wheel whose bytes are not held."""
        values = {
            "upstream": upstream,
            "filename": file.filename,
            "project": file.project,
            "blob": file.sha256,
            "metadata": sha256,
        }
        self._on.execute(_DESCRIBE, values)
        self._revisions.bump(keys.listing(upstream, file.project))

    def described(
        self, upstream: int, name: NormalizedName
    ) -> Mapping[tuple[str, str | None], str]:
        """Metadata by filename and hash of the wheel, as it was when the metadata was made."""
        c = s.described.c
        query = select(c.filename, c.blob, c.metadata)
        rows = self._on.execute(query.where(c.upstream == upstream, c.project == name))
        return {(row.filename, row.blob): row.metadata for row in rows}

    def prune(self) -> None:
        """Forget what no file needs."""
        held = select(s.files.c.metadata).where(s.files.c.metadata.is_not(None))
        made = select(s.described.c.metadata)
        unused = s.core_metadata.c.sha256.not_in(held.union(made))
        self._on.execute(delete(s.core_metadata).where(unused))
