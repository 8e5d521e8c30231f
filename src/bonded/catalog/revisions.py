"""Counters by which it is known whether what was derived still holds."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, select, text

from bonded.catalog.schema import revisions
from bonded.model.files import Basis

_BUMP = text(
    "INSERT INTO revisions (key, value) VALUES (:key, 1)"
    " ON CONFLICT (key) DO UPDATE SET value = revisions.value + 1"
)
_OF = select(revisions.c.key, revisions.c.value).where(
    revisions.c.key.in_(bindparam("keys", expanding=True))
)


class SqlRevisions:
    """Revisions in a table; a key never bumped has no row."""

    def __init__(self, connection: Connection) -> None:
        self._on = connection

    def of(self, keys: Iterable[str]) -> Basis:
        """The revisions of `keys` now."""
        wanted = sorted(keys)
        found = {row.key: row.value for row in self._on.execute(_OF, {"keys": wanted})}
        return Basis(tuple((key, found.get(key, 0)) for key in wanted))

    def bump(self, *keys: str) -> None:
        """What depends on these keys holds no longer."""
        self._on.execute(_BUMP, [{"key": key} for key in keys])
