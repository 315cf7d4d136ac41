"""The document store; on PostgreSQL the audit rows too (ADR 0006)."""

import sqlalchemy as sa
from alembic import op

revision = "0003_documents"
down_revision = "0002_people"


def upgrade() -> None:
    documents()
    document_versions()
    document_tokens()
    document_strings()
    events()
    projection_due()
    if op.get_bind().dialect.name == "postgresql":
        audit_entries()


def documents() -> None:
    op.create_table(
        "documents",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("audience", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("last_updated", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("patient_key", sa.String(), nullable=True),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("date_low", sa.BigInteger(), nullable=True),
        sa.Column("date_high", sa.BigInteger(), nullable=True),
        sa.Column("confidentiality", sa.Integer(), nullable=False),
        sa.Column("sensitivity", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_documents_date", "documents", ["audience", "type", "date_low"])
    op.create_index("ix_documents_source", "documents", ["source"])
    op.create_index(
        "ix_documents_subject", "documents", ["audience", "type", "subject", "date_low"]
    )
    op.create_index("ix_documents_updated", "documents", ["audience", "type", "last_updated"])


def document_versions() -> None:
    op.create_table(
        "document_versions",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("last_updated", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("confidentiality", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", "version"),
        sqlite_with_rowid=False,
    )


def document_tokens() -> None:
    op.create_table(
        "document_tokens",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("param", sa.String(), nullable=False),
        sa.Column("system", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("audience", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", "param", "system", "code"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_document_tokens_value",
        "document_tokens",
        ["audience", "type", "param", "code", "system", "id"],
    )


def document_strings() -> None:
    op.create_table(
        "document_strings",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("param", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("audience", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", "param", "value"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_document_strings_value",
        "document_strings",
        ["audience", "type", "param", "value", "id"],
    )


def events() -> None:
    op.create_table(
        "events",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("audience", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("ix_events_id", "events", ["id"])


def projection_due() -> None:
    op.create_table(
        "projection_due",
        sa.Column("patient_id", sa.String(32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("patient_id"),
    )
    op.create_index("ix_projection_due_at", "projection_due", ["at"])


def audit_entries() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("request_id", sa.Text(), primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("client", sa.Text()),
        sa.Column("audience", sa.BigInteger()),
        sa.Column("address", sa.Text()),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("query", sa.Text()),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("patients", sa.Text()),
    )
