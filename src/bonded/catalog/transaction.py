"""A transaction: one connection, and the aggregates over it."""

from __future__ import annotations

from sqlalchemy import Connection

from bonded.catalog.audit import SqlAudit
from bonded.catalog.claims import SqlClaims
from bonded.catalog.feeds import SqlFeeds
from bonded.catalog.files import SqlFiles
from bonded.catalog.holdings import SqlHoldings
from bonded.catalog.listings import SqlListings
from bonded.catalog.metadata import SqlMetadata
from bonded.catalog.pages import SqlPages
from bonded.catalog.projects import SqlProjects
from bonded.catalog.revisions import SqlRevisions
from bonded.catalog.tokens import SqlTokens
from bonded.ports import Clock


class SqlTransaction:
    """Hands out each aggregate over the same connection."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self.revisions = SqlRevisions(connection)
        self.feeds = SqlFeeds(connection, self.revisions, clock)
        self.projects = SqlProjects(connection, self.revisions)
        self.files = SqlFiles(connection, self.revisions, clock)
        self.holdings = SqlHoldings(connection)
        self.metadata = SqlMetadata(connection, self.revisions)
        self.claims = SqlClaims(connection, self.revisions)
        self.tokens = SqlTokens(connection, self.revisions, clock)
        self.listings = SqlListings(connection, self.revisions)
        self.pages = SqlPages(connection)
        self.audit = SqlAudit(connection, clock)
