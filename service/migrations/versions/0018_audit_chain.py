"""Audit rows in chains, and their seals; on SQLite `service.audit.prepare` does it."""

import sqlalchemy as sa
from alembic import op

revision = "0018_audit_chain"
down_revision = "0017_clients"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        return
    op.add_column("audit_entries", sa.Column("writer", sa.Text()))
    op.add_column("audit_entries", sa.Column("seq", sa.BigInteger()))
    op.add_column("audit_entries", sa.Column("hash", sa.LargeBinary()))
    op.create_table(
        "audit_seals",
        sa.Column("number", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("writer", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
    )
