"""Facilitators' credentials and supervision, the rules members agree to, and concerns."""

import sqlalchemy as sa
from alembic import op

revision = "0012_facilitation"
down_revision = "0011_membership"


def upgrade() -> None:
    op.add_column(
        "support_groups",
        sa.Column("rules_required", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    credentials()
    supervisions()
    supervision_sessions()
    rules_versions()
    rules_agreements()
    concerns()
    concern_statements()


def row() -> list[sa.Column[object]]:
    """Return the columns that every row has."""
    return [
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("row_version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    ]


def credentials() -> None:
    op.create_table(
        "facilitator_credentials",
        *row(),
        sa.Column("facilitator_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=True),
        sa.Column("issued", sa.Date(), nullable=True),
        sa.Column("expires", sa.Date(), nullable=True),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["facilitator_id"], ["facilitators.id"]),
    )
    op.create_index(
        "ix_facilitator_credentials_facilitator_id", "facilitator_credentials", ["facilitator_id"]
    )


def supervisions() -> None:
    op.create_table(
        "supervisions",
        *row(),
        sa.Column("facilitator_id", sa.Uuid(), nullable=False),
        sa.Column("supervisor_id", sa.Uuid(), nullable=True),
        sa.Column("contact", sa.String(), nullable=True),
        sa.Column("next_due", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["facilitator_id"], ["facilitators.id"]),
        sa.ForeignKeyConstraint(["supervisor_id"], ["facilitators.id"]),
        sa.UniqueConstraint("facilitator_id"),
    )


def supervision_sessions() -> None:
    op.create_table(
        "supervision_sessions",
        *row(),
        sa.Column("facilitator_id", sa.Uuid(), nullable=False),
        sa.Column("supervisor_id", sa.Uuid(), nullable=True),
        sa.Column("contact", sa.String(), nullable=True),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["facilitator_id"], ["facilitators.id"]),
        sa.ForeignKeyConstraint(["supervisor_id"], ["facilitators.id"]),
    )
    op.create_index(
        "ix_supervision_sessions_facilitator_id", "supervision_sessions", ["facilitator_id"]
    )


def rules_versions() -> None:
    op.create_table(
        "rules_versions",
        *row(),
        sa.Column("group_id", sa.Uuid(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("in_force_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["support_groups.id"]),
        sa.UniqueConstraint("group_id", "number"),
    )


def rules_agreements() -> None:
    op.create_table(
        "rules_agreements",
        *row(),
        sa.Column("rules_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("enrollment_id", sa.Uuid(), nullable=True),
        sa.Column("agreed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("method", sa.String(32), nullable=False),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("witness", sa.String(), nullable=True),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["rules_id"], ["rules_versions.id"]),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"]),
        sa.ForeignKeyConstraint(["enrollment_id"], ["enrollments.id"]),
        sa.UniqueConstraint("rules_id", "patient_id"),
    )
    op.create_index("ix_rules_agreements_patient_id", "rules_agreements", ["patient_id"])


def concerns() -> None:
    op.create_table(
        "concerns",
        *row(),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("severity", sa.String(32), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("supervisor_id", sa.Uuid(), nullable=True),
        sa.Column("contact", sa.String(), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.String(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["group_id"], ["support_groups.id"]),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"]),
        sa.ForeignKeyConstraint(["supervisor_id"], ["facilitators.id"]),
    )
    op.create_index("ix_concerns_group_id", "concerns", ["group_id"])
    op.create_index("ix_concerns_state", "concerns", ["state"])


def concern_statements() -> None:
    op.create_table(
        "concern_statements",
        *row(),
        sa.Column("concern_id", sa.Uuid(), nullable=False),
        sa.Column("raised_by", sa.String(), nullable=False),
        sa.Column("statement", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["concern_id"], ["concerns.id"]),
        sa.UniqueConstraint("concern_id"),
    )
