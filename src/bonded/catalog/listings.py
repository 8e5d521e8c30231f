"""Pages of upstreams, as last seen."""

from __future__ import annotations

from datetime import datetime

from packaging.utils import NormalizedName
from sqlalchemy import Connection, insert, select, update

from bonded.catalog import schema as s
from bonded.catalog.revisions import SqlRevisions
from bonded.model import keys
from bonded.model.files import Project, Standing, Status
from bonded.ports import Listing, Validators
from bonded.simple import entries

_c = s.listings.c
_SAID = ("absent", "status", "status_reason", "files")


class SqlListings:
    """Listings in a table, the files encoded."""

    def __init__(self, connection: Connection, revisions: SqlRevisions) -> None:
        self._on, self._revisions = connection, revisions

    def get(self, upstream: int, name: NormalizedName) -> Listing | None:
        query = select(s.listings).where(_c.upstream == upstream, _c.project == name)
        row = self._on.execute(query).first()
        if row is None:
            return None
        files, hidden = entries.split(row.files, name)
        project = Project(
            name=name,
            files=files,
            hidden=hidden,
            status=Status(standing=Standing(row.status), reason=row.status_reason),
            absent=row.absent,
            basis=self._revisions.of([keys.listing(upstream, name)]),
        )
        validators = Validators(etag=row.etag, last_modified=row.last_modified)
        return Listing(
            origin=row.origin,
            project=project,
            validators=validators,
            fresh_until=row.fresh_until,
        )

    def put(self, upstream: int, listing: Listing) -> None:
        """Replace what was known; what depends on it holds no longer if it says something else."""
        project = listing.project
        files = entries.encode(project)
        values = {
            "upstream": upstream,
            "project": project.name,
            "absent": project.absent,
            "status": str(project.status.standing),
            "status_reason": project.status.reason,
            "files": files,
        }
        where = (_c.upstream == upstream, _c.project == project.name)
        known = self._on.execute(select(s.listings).where(*where)).first()
        if known is None or any(getattr(known, key) != values[key] for key in _SAID):
            self._revisions.bump(keys.listing(upstream, project.name))
        values |= {
            "origin": listing.origin,
            "etag": listing.validators.etag,
            "last_modified": listing.validators.last_modified,
            "fresh_until": listing.fresh_until,
        }
        if known is None:
            self._on.execute(insert(s.listings), values)
        else:
            self._on.execute(update(s.listings).where(*where).values(values))

    def renew(self, upstream: int, name: NormalizedName, fresh_until: datetime) -> None:
        """The page has not changed and is fresh until then."""
        where = (_c.upstream == upstream, _c.project == name)
        self._on.execute(update(s.listings).where(*where).values(fresh_until=fresh_until))
