"""How often something was taken away from each audience (ADR 0036)."""

import sqlalchemy as sa
from alembic import op

revision = "0020_fence"
down_revision = "0018_audit_chain"


def upgrade() -> None:
    op.create_table(
        "disclosure_epochs",
        sa.Column("audience", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
    )
