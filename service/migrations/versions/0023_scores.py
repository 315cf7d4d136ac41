"""What an instrument reports beside its total, with responses and with what they said before."""

import sqlalchemy as sa
from alembic import op

revision = "0023_scores"
down_revision = "0022_subjects"


def upgrade() -> None:
    op.add_column("responses", sa.Column("scores", sa.JSON(none_as_null=True)))
    op.add_column("response_changes", sa.Column("scores", sa.JSON(none_as_null=True)))
