"""What people ask for about their own data: restriction, correction, erasure."""

import sqlalchemy as sa
from alembic import op

revision = "0022_subjects"
down_revision = "0021_audit_in_full"


def upgrade() -> None:
    op.create_table(
        "restrictions",
        *row(),
        patient(),
        sa.Column("reason", sa.String(), nullable=False),
        moment("until"),
        moment("restricted_at", nullable=False),
        sa.Column("restricted_by", sa.String(), nullable=False),
        moment("lifted_at"),
        sa.Column("lifted_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"]),
    )
    op.create_index("ix_restrictions_patient_id", "restrictions", ["patient_id"])
    op.create_table(
        "correction_requests",
        *row(),
        patient(),
        moment("asked_at", nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        moment("decided_at"),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decision", sa.String(), nullable=True),
        sa.Column("disagreement", sa.String(), nullable=True),
        moment("told_at"),
        sa.Column("told_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"]),
    )
    op.create_index("ix_correction_requests_patient_id", "correction_requests", ["patient_id"])
    op.create_index("ix_correction_requests_state", "correction_requests", ["state"])
    op.create_table(
        "erasures",
        *row(),
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column("basis", sa.String(32), nullable=False),
        moment("began_at", nullable=False),
        sa.Column("erased_by", sa.String(), nullable=False),
        moment("done_at"),
        sa.Column("erased", sa.JSON(), nullable=False),
        sa.Column("kept", sa.JSON(), nullable=False),
        sa.Column("pending", sa.JSON(), nullable=False),
    )
    op.create_index("ix_erasures_patient_id", "erasures", ["patient_id"])
    op.create_table(
        "erased_marks",
        *row(),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("mark", sa.String(32), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"]),
        sa.UniqueConstraint("session_id", "mark"),
    )


def row() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("row_version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )


def patient() -> sa.Column[object]:
    return sa.Column("patient_id", sa.Uuid(), nullable=False)


def moment(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)
