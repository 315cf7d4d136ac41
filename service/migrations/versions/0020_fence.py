"""Epochs of what is taken away (ADR 0036), and issuers that vouch for people (ADR 0035)."""

import sqlalchemy as sa
from alembic import op

revision = "0020_fence"
down_revision = "0019_consents"


def upgrade() -> None:
    op.create_table(
        "disclosure_epochs",
        sa.Column("audience", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
    )
    op.add_column(
        "issuers", sa.Column("people", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("issuers", sa.Column("role_claim", sa.String()))
    op.add_column("issuers", sa.Column("roles", sa.JSON(), nullable=False, server_default="{}"))
