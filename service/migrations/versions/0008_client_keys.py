"""Clients that prove themselves by keys, and the assertions that they have used."""

import sqlalchemy as sa
from alembic import op

revision = "0008_client_keys"
down_revision = "0007_statistics"


def upgrade() -> None:
    secret_may_be_null()
    op.add_column("clients", sa.Column("jwks", sa.JSON(), nullable=True))
    op.add_column("clients", sa.Column("jwks_url", sa.String(), nullable=True))
    op.add_column("clients", sa.Column("algorithms", sa.JSON(), nullable=True))
    op.create_table(
        "used_assertions",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("jti_hash", sa.String(64), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("client_id", "jti_hash"),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"]),
    )
    op.create_index("ix_used_assertions_expires_at", "used_assertions", ["expires_at"])


def secret_may_be_null() -> None:
    """SQLite cannot alter a column, and a table that others refer to is not made anew."""
    if op.get_bind().dialect.name != "sqlite":
        op.alter_column("clients", "secret_hash", nullable=True)
        return
    op.add_column("clients", sa.Column("kept", sa.String(), nullable=True))
    op.execute("UPDATE clients SET kept = secret_hash")
    op.drop_column("clients", "secret_hash")
    op.execute("ALTER TABLE clients RENAME COLUMN kept TO secret_hash")
