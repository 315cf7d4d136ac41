"""Index tables for every type of search parameter, and what documents of clients need."""

import sqlalchemy as sa
from alembic import op

revision = "0004_search_index"
down_revision = "0003_documents"

CREATED = """
UPDATE documents SET created = coalesce(
  (SELECT v.last_updated FROM document_versions v WHERE v.id = documents.id AND v.version = 1),
  last_updated)
"""


def upgrade() -> None:
    documents()
    document_strings()
    document_dates()
    document_numbers()
    document_references()


def documents() -> None:
    """Rows that were written before have `indexed` 0, so `alongside migrate` indexes them anew."""
    op.add_column("documents", sa.Column("chosen_id", sa.String(64), nullable=True))
    for name in ("created", "indexed"):
        kind = sa.BigInteger() if name == "created" else sa.Integer()
        op.add_column("documents", sa.Column(name, kind, nullable=False, server_default="0"))
    op.execute(CREATED)
    op.create_index("ix_documents_indexed", "documents", ["indexed"])


def document_strings() -> None:
    """Made anew: SQLite cannot change a primary key, and indexing fills it again."""
    op.drop_table("document_strings")
    op.create_table(
        "document_strings",
        *identified(),
        # Compared byte by byte, so that an index finds what begins with a text.
        sa.Column(
            "value",
            sa.String().with_variant(sa.String(collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("original", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", "param", "value", "original"),
        sqlite_with_rowid=False,
    )
    found_by("document_strings", "value")


def document_dates() -> None:
    op.create_table(
        "document_dates",
        *identified(),
        sa.Column("low", sa.BigInteger(), nullable=False),
        sa.Column("high", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", "param", "low", "high"),
        sqlite_with_rowid=False,
    )
    found_by("document_dates", "low", "high")


def document_numbers() -> None:
    op.create_table(
        "document_numbers",
        *identified(),
        sa.Column("low", sa.Float(), nullable=False),
        sa.Column("high", sa.Float(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("system", "code", "unit")),
        sa.PrimaryKeyConstraint("id", "param", "low", "high", "system", "code", "unit"),
        sqlite_with_rowid=False,
    )
    found_by("document_numbers", "low", "high")


def document_references() -> None:
    op.create_table(
        "document_references",
        *identified(),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("target_type", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", "param", "target", "target_type"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_document_references_target",
        "document_references",
        ["audience", "target", "type", "param", "id"],
    )


def identified() -> list[sa.Column[object]]:
    return [
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("param", sa.String(), nullable=False),
        sa.Column("audience", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
    ]


def found_by(table: str, *values: str) -> None:
    op.create_index(f"ix_{table}_value", table, ["audience", "type", "param", *values, "id"])
