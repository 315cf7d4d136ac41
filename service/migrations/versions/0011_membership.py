"""Waitlists in order, offers and holds that end by the clock, guests, transfers."""

import sqlalchemy as sa
from alembic import op

revision = "0011_membership"
down_revision = "0010_series"

# Who waits already does so in the order in which the wait began.
NUMBER = """
UPDATE enrollments SET queue_number = (
  SELECT count(*) FROM enrollments earlier
  WHERE earlier.group_id = enrollments.group_id AND earlier.status = 'waitlisted'
    AND (earlier.start < enrollments.start
      OR (earlier.start = enrollments.start AND earlier.id <= enrollments.id))
) WHERE status = 'waitlisted'
"""


def upgrade() -> None:
    enrollments()
    groups()
    op.execute("ALTER TABLE projection_due RENAME COLUMN patient_id TO key")
    op.add_column(
        "projection_due",
        sa.Column("kind", sa.String(32), nullable=False, server_default="consents"),
    )


def enrollments() -> None:
    for column in (
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("queue_number", sa.Integer(), nullable=True),
        sa.Column("missed_offers", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("guest", sa.Boolean(), nullable=False, server_default=sa.false()),
    ):
        op.add_column("enrollments", column)
    op.add_column(
        "enrollments",
        sa.Column("transferred_from_id", sa.Uuid(), sa.ForeignKey("enrollments.id")),
        inline_references=True,
    )
    op.create_index("ix_enrollments_transferred_from_id", "enrollments", ["transferred_from_id"])
    op.execute(NUMBER)


def groups() -> None:
    op.add_column(
        "support_groups",
        sa.Column("promotion", sa.String(32), nullable=False, server_default="automatic"),
    )
    op.add_column("support_groups", sa.Column("offer_hours", sa.Integer(), nullable=True))
