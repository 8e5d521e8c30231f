"""The tables. Only what SQLite and PostgreSQL share; times are UTC, hashes lowercase hex."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)


class Moment(TypeDecorator[datetime]):
    """A time in UTC, which SQLite would otherwise give back without its zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        """To UTC."""
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        """In UTC."""
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
_number = BigInteger().with_variant(Integer, "sqlite")


def _id() -> Column[int]:
    return Column("id", _number, primary_key=True, autoincrement=True)


revisions = Table(
    "revisions",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

feeds = Table(
    "feeds",
    metadata,
    _id(),
    Column("name", String(63), nullable=False, unique=True),
    Column("public", Boolean, nullable=False),
    Column("created", Moment, nullable=False),
    sqlite_autoincrement=True,
)

upstreams = Table(
    "upstreams",
    metadata,
    _id(),
    Column("spec", Text, nullable=False, unique=True),
    sqlite_autoincrement=True,
)

feed_upstreams = Table(
    "feed_upstreams",
    metadata,
    Column("feed", ForeignKey("feeds.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("upstream", ForeignKey("upstreams.id"), nullable=False),
)

projects = Table(
    "projects",
    metadata,
    Column("feed", ForeignKey("feeds.id", ondelete="CASCADE"), primary_key=True),
    Column("name", String, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("status", String(16)),
    Column("status_reason", Text),
    Column("files", Integer, nullable=False, server_default="0"),
)

files = Table(
    "files",
    metadata,
    _id(),
    Column("feed", ForeignKey("feeds.id", ondelete="CASCADE"), nullable=False),
    Column("project", String, nullable=False),
    Column("filename", String, nullable=False),
    Column("identity", String, nullable=False),
    Column("version", String, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("label", Text, nullable=False),
    Column("blob", String(64), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("uploaded", Moment),
    Column("added", Moment, nullable=False),
    Column("requires_python", Text),
    Column("yanked", Text),
    Column("metadata", String(64)),
    Column("deleted", Moment),
    UniqueConstraint("feed", "filename"),
    Index("ix_files_project", "feed", "project"),
    Index("ix_files_identity", "feed", "identity"),
    Index("ix_files_blob", "blob"),
)

core_metadata = Table(
    "core_metadata",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

described = Table(
    "described",
    metadata,
    Column("upstream", ForeignKey("upstreams.id"), primary_key=True),
    Column("filename", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("blob", String(64)),
    Column("metadata", String(64), nullable=False),
    Index("ix_described_project", "upstream", "project"),
)

claims = Table(
    "claims",
    metadata,
    _id(),
    Column("feed", ForeignKey("feeds.id", ondelete="CASCADE")),
    Column("pattern", String, nullable=False),
    Column("exact", Boolean, nullable=False),
    Column("why", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Index("ix_claims_pattern", "pattern"),
    Index("ix_claims_exact", "exact"),
)

tokens = Table(
    "tokens",
    metadata,
    _id(),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("label", Text, nullable=False),
    Column("scope", Integer, nullable=False),
    Column("created", Moment, nullable=False),
    Column("expires", Moment),
    Column("revoked", Moment),
    sqlite_autoincrement=True,
)

token_feeds = Table(
    "token_feeds",
    metadata,
    Column("token", ForeignKey("tokens.id", ondelete="CASCADE"), primary_key=True),
    Column("feed", ForeignKey("feeds.id", ondelete="CASCADE"), primary_key=True),
)

listings = Table(
    "listings",
    metadata,
    Column("upstream", ForeignKey("upstreams.id"), primary_key=True),
    Column("project", String, primary_key=True),
    Column("origin", Text, nullable=False),
    Column("absent", Text),
    Column("status", String(16)),
    Column("status_reason", Text),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("fresh_until", Moment, nullable=False),
    Column("files", LargeBinary, nullable=False),
)

pages = Table(
    "pages",
    metadata,
    Column("feed", ForeignKey("feeds.id", ondelete="CASCADE"), primary_key=True),
    Column("project", String, primary_key=True),
    Column("basis", LargeBinary, nullable=False),
    Column("etag", String, nullable=False),
    Column("json", LargeBinary, nullable=False),
    Column("html", LargeBinary, nullable=False),
    Column("entries", LargeBinary, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    _id(),
    Column("at", Moment, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", String, nullable=False),
    Column("feed", String(63)),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Index("ix_audit_at", "at"),
    Index("ix_audit_feed", "feed", "at"),
    Index("ix_audit_subject", "subject"),
)
