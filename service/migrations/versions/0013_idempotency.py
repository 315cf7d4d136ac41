"""Answers kept under the keys that clients give their requests."""

import sqlalchemy as sa
from alembic import op

revision = "0013_idempotency"
down_revision = "0012_facilitation"


def upgrade() -> None:
    op.create_table(
        "kept_answers",
        sa.Column("key_hash", sa.String(64), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.Text()),
        sa.PrimaryKeyConstraint("key_hash", "part"),
    )
    op.create_index("ix_kept_answers_expires_at", "kept_answers", ["expires_at"])
