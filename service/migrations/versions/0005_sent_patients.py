"""Patients as hospitals sent them."""

import sqlalchemy as sa
from alembic import op

revision = "0005_sent_patients"
down_revision = "0004_search_index"


def upgrade() -> None:
    op.create_table(
        "sent_patients",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("row_version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("received", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"]),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"]),
        sa.UniqueConstraint("patient_id", "connection_id"),
    )
    op.create_index("ix_sent_patients_connection_id", "sent_patients", ["connection_id"])
