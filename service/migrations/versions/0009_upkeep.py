"""What an operator has begun: maintenance, a rebuild; and the id that a caller gave a request."""

import sqlalchemy as sa
from alembic import op

revision = "0009_upkeep"
down_revision = "0008_client_keys"


def upgrade() -> None:
    op.create_table(
        "upkeep",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    if op.get_bind().dialect.name != "sqlite":  # there `service.audit.prepare` does it
        op.add_column("audit_entries", sa.Column("caller_id", sa.Text()))
