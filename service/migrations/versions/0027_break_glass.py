"""Break-the-glass: who saw whose data beyond the ceiling, until when, and what was found."""

import sqlalchemy as sa
from alembic import op

revision = "0027_break_glass"
down_revision = "0026_measurement"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "broken_glass",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("row_version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("client", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("begun_at", MOMENT, nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.Column("closes_at", sa.BigInteger(), nullable=False),
        sa.Column("verdict", sa.String(32), nullable=True),
        sa.Column("reviewed_at", MOMENT, nullable=True),
        sa.Column("reviewed_by", sa.String(), nullable=True),
        sa.Column("notice_due", sa.Boolean(), nullable=False),
        sa.Column("notice_given_at", MOMENT, nullable=True),
        sa.Column("notice_given_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"]),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"]),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"]),
    )
    op.create_index("ix_broken_glass_patient_id", "broken_glass", ["patient_id"])
    op.create_index("ix_broken_glass_verdict", "broken_glass", ["verdict"])
    op.create_index("ix_broken_glass_person_closes_at", "broken_glass", ["person", "closes_at"])
