"""Index rows name their document by a number that grows, and not by its random id (ADR 0044)."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from service.migrations.statistics import set_statistics

revision = "0025_document_numbers"
down_revision = "0024_safety"

BYTEWISE = sa.String().with_variant(sa.String(collation="C"), "postgresql")
BLOCK = 1000
VALUES: dict[str, dict[str, sa.types.TypeEngine[Any]]] = {
    "tokens": {"system": sa.String(), "code": sa.String()},
    "strings": {"value": BYTEWISE, "original": sa.String()},
    "dates": {"low": sa.BigInteger(), "high": sa.BigInteger()},
    "numbers": {
        "low": sa.Float(),
        "high": sa.Float(),
        **{name: sa.String() for name in ("system", "code", "unit")},
    },
    "references": {"target": sa.String(), "target_type": sa.String()},
}
FOUND_BY = {
    "tokens": ("value", "audience", "type", "param", "code", "system"),
    "strings": ("value", "audience", "type", "param", "value"),
    "dates": ("value", "audience", "type", "param", "low", "high"),
    "numbers": ("value", "audience", "type", "param", "low", "high"),
    "references": ("target", "audience", "target", "type", "param"),
}
COUNTED = (
    "UPDATE documents SET number = counted.number FROM"
    " (SELECT id, row_number() OVER (ORDER BY created, id) AS number FROM documents) AS counted"
    " WHERE counted.id = documents.id"
)


def upgrade() -> None:
    op.add_column(
        "documents", sa.Column("number", sa.BigInteger(), nullable=False, server_default="0")
    )
    op.execute(COUNTED)
    op.create_index("ix_documents_number", "documents", ["number"], unique=True)
    for name in VALUES:
        _numbered(name)
    if op.get_bind().dialect.name == "postgresql":
        last = op.get_bind().execute(sa.text("SELECT max(number) FROM documents")).scalar() or 0
        op.execute(f"CREATE SEQUENCE document_blocks START {last // BLOCK + 1}")
    set_statistics(op.get_bind())


def _numbered(name: str) -> None:
    """Make the table anew: SQLite changes no primary key."""
    table, values = f"document_{name}", VALUES[name]
    index, *columns = FOUND_BY[name]
    op.drop_index(f"ix_{table}_{index}", table)
    op.rename_table(table, f"{table}_before")
    if op.get_bind().dialect.name == "postgresql":  # it keeps its key's name
        op.execute(
            f"ALTER TABLE {table}_before RENAME CONSTRAINT {table}_pkey TO {table}_before_pkey"
        )
    op.create_table(
        table,
        sa.Column("document", sa.BigInteger(), nullable=False),
        sa.Column("param", sa.String(), nullable=False),
        *(sa.Column(each, kind, nullable=False) for each, kind in values.items()),
        sa.Column("audience", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("document", "param", *values),
        sqlite_with_rowid=False,
    )
    _filled(table, ", ".join(("param", *values, "audience", "type")))
    op.drop_table(f"{table}_before")
    op.create_index(f"ix_{table}_{index}", table, [*columns, "document"])


def _filled(table: str, columns: str) -> None:
    taken = ", ".join(f"b.{each}" for each in columns.split(", "))
    op.execute(
        f"INSERT INTO {table} (document, {columns}) SELECT d.number, {taken}"  # noqa: S608
        f" FROM {table}_before b JOIN documents d ON d.id = b.id"
        f" ORDER BY d.number, {taken}"
    )
