"""What SQLite's planner is told of the document store."""

from alembic import op

from service.migrations.statistics import set_statistics

revision = "0007_statistics"
down_revision = "0006_paging"


def upgrade() -> None:
    set_statistics(op.get_bind())
