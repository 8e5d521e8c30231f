"""Feeds, files, claims, tokens, listings, pages and the audit."""

import sqlalchemy as sa
from alembic import op

from bonded.catalog.schema import Moment

revision = "0001"
down_revision = None

_number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the first tables, each after those it refers to."""
    _audit()
    _core_metadata()
    _feeds()
    _revisions()
    _tokens()
    _upstreams()
    _claims()
    _described()
    _feed_upstreams()
    _files()
    _listings()
    _pages()
    _projects()
    _token_feeds()


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", _number, autoincrement=True, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("feed", sa.String(length=63), nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_at", "audit", ["at"], unique=False)
    op.create_index("ix_audit_feed", "audit", ["feed", "at"], unique=False)
    op.create_index("ix_audit_subject", "audit", ["subject"], unique=False)


def _core_metadata() -> None:
    op.create_table(
        "core_metadata",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_core_metadata")),
    )


def _feeds() -> None:
    op.create_table(
        "feeds",
        sa.Column("id", _number, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("created", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feeds")),
        sa.UniqueConstraint("name", name=op.f("uq_feeds_name")),
        sqlite_autoincrement=True,
    )


def _revisions() -> None:
    op.create_table(
        "revisions",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_revisions")),
    )


def _tokens() -> None:
    op.create_table(
        "tokens",
        sa.Column("id", _number, autoincrement=True, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("scope", sa.Integer(), nullable=False),
        sa.Column("created", Moment(), nullable=False),
        sa.Column("expires", Moment(), nullable=True),
        sa.Column("revoked", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("digest", name=op.f("uq_tokens_digest")),
        sqlite_autoincrement=True,
    )


def _upstreams() -> None:
    op.create_table(
        "upstreams",
        sa.Column("id", _number, autoincrement=True, nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upstreams")),
        sa.UniqueConstraint("spec", name=op.f("uq_upstreams_spec")),
        sqlite_autoincrement=True,
    )


def _claims() -> None:
    op.create_table(
        "claims",
        sa.Column("id", _number, autoincrement=True, nullable=False),
        sa.Column("feed", _number, nullable=True),
        sa.Column("pattern", sa.String(), nullable=False),
        sa.Column("exact", sa.Boolean(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["feed"], ["feeds.id"], name=op.f("fk_claims_feed"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claims")),
    )
    op.create_index("ix_claims_exact", "claims", ["exact"], unique=False)
    op.create_index("ix_claims_pattern", "claims", ["pattern"], unique=False)


def _described() -> None:
    op.create_table(
        "described",
        sa.Column("upstream", _number, nullable=False),
        sa.Column("filename", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("blob", sa.String(length=64), nullable=True),
        sa.Column("metadata", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["upstream"], ["upstreams.id"], name=op.f("fk_described_upstream")),
        sa.PrimaryKeyConstraint("upstream", "filename", name=op.f("pk_described")),
    )
    op.create_index("ix_described_project", "described", ["upstream", "project"], unique=False)


def _feed_upstreams() -> None:
    op.create_table(
        "feed_upstreams",
        sa.Column("feed", _number, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("upstream", _number, nullable=False),
        sa.ForeignKeyConstraint(
            ["feed"], ["feeds.id"], name=op.f("fk_feed_upstreams_feed"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["upstream"], ["upstreams.id"], name=op.f("fk_feed_upstreams_upstream")
        ),
        sa.PrimaryKeyConstraint("feed", "position", name=op.f("pk_feed_upstreams")),
    )


def _files() -> None:
    op.create_table(
        "files",
        sa.Column("id", _number, autoincrement=True, nullable=False),
        sa.Column("feed", _number, nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("filename", sa.String(), nullable=False),
        sa.Column("identity", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("blob", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("uploaded", Moment(), nullable=True),
        sa.Column("added", Moment(), nullable=False),
        sa.Column("requires_python", sa.Text(), nullable=True),
        sa.Column("yanked", sa.Text(), nullable=True),
        sa.Column("metadata", sa.String(length=64), nullable=True),
        sa.Column("deleted", Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["feed"], ["feeds.id"], name=op.f("fk_files_feed"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_files")),
        sa.UniqueConstraint("feed", "filename", name=op.f("uq_files_feed")),
    )
    op.create_index("ix_files_blob", "files", ["blob"], unique=False)
    op.create_index("ix_files_identity", "files", ["feed", "identity"], unique=False)
    op.create_index("ix_files_project", "files", ["feed", "project"], unique=False)


def _listings() -> None:
    op.create_table(
        "listings",
        sa.Column("upstream", _number, nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("absent", sa.Text(), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=True),
        sa.Column("status_reason", sa.Text(), nullable=True),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.Text(), nullable=True),
        sa.Column("fresh_until", Moment(), nullable=False),
        sa.Column("files", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["upstream"], ["upstreams.id"], name=op.f("fk_listings_upstream")),
        sa.PrimaryKeyConstraint("upstream", "project", name=op.f("pk_listings")),
    )


def _pages() -> None:
    op.create_table(
        "pages",
        sa.Column("feed", _number, nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("basis", sa.LargeBinary(), nullable=False),
        sa.Column("etag", sa.String(), nullable=False),
        sa.Column("json", sa.LargeBinary(), nullable=False),
        sa.Column("html", sa.LargeBinary(), nullable=False),
        sa.Column("entries", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["feed"], ["feeds.id"], name=op.f("fk_pages_feed"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("feed", "project", name=op.f("pk_pages")),
    )


def _projects() -> None:
    op.create_table(
        "projects",
        sa.Column("feed", _number, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=True),
        sa.Column("status_reason", sa.Text(), nullable=True),
        sa.Column("files", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["feed"], ["feeds.id"], name=op.f("fk_projects_feed"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("feed", "name", name=op.f("pk_projects")),
    )


def _token_feeds() -> None:
    op.create_table(
        "token_feeds",
        sa.Column("token", _number, nullable=False),
        sa.Column("feed", _number, nullable=False),
        sa.ForeignKeyConstraint(
            ["feed"], ["feeds.id"], name=op.f("fk_token_feeds_feed"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["token"], ["tokens.id"], name=op.f("fk_token_feeds_token"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token", "feed", name=op.f("pk_token_feeds")),
    )
