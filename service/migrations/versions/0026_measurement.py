"""How often a group measures."""

import sqlalchemy as sa
from alembic import op

revision = "0026_measurement"
down_revision = "0025_document_numbers"


def upgrade() -> None:
    column = sa.Column("measurement", sa.JSON(), nullable=False, server_default="[]")
    op.add_column("support_groups", column)
