"""What the clock changes is noted by kind and key, and with it when a questionnaire is due."""

import sqlalchemy as sa
from alembic import op

revision = "0028_measurement_due"
down_revision = "0027_break_glass"

# The first request afterwards, or `alongside settle`, makes the Tasks of plans that are there.
PLANNED = """
INSERT INTO projection_due (kind, key, at)
SELECT 'measurement', replace(CAST(e.id AS TEXT), '-', ''), 0
FROM enrollments e JOIN support_groups g ON g.id = e.group_id
WHERE NOT e.guest AND CAST(g.measurement AS TEXT) <> '[]'
"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE projection_due DROP CONSTRAINT projection_due_pkey")
        op.execute("ALTER TABLE projection_due ADD PRIMARY KEY (kind, key)")
    else:
        made_anew()
    op.execute(PLANNED)


def made_anew() -> None:
    """SQLite changes no primary key."""
    op.drop_index("ix_projection_due_at", "projection_due")
    op.rename_table("projection_due", "projection_due_before")
    op.create_table(
        "projection_due",
        sa.Column("kind", sa.String(32), primary_key=True),
        sa.Column("key", sa.String(32), primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_projection_due_at", "projection_due", ["at"])
    op.execute("INSERT INTO projection_due SELECT kind, key, at FROM projection_due_before")
    op.drop_table("projection_due_before")
