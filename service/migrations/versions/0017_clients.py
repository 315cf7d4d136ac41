"""Keys that we sign with."""

import sqlalchemy as sa
from alembic import op

revision = "0017_clients"
down_revision = "0009_upkeep"


def upgrade() -> None:
    op.create_table(
        "signing_keys",
        *row(),
        sa.Column("kid", sa.String(), nullable=False, unique=True),
        sa.Column("algorithm", sa.String(), nullable=False),
        sa.Column("public", sa.String(), nullable=False),
        sa.Column("private", sa.String()),
        sa.Column("published_until", sa.BigInteger()),
    )


def row() -> list[sa.Column[object]]:
    """Return the columns that every row has."""
    return [
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("row_version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    ]
