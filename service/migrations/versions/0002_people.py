"""Patients, links, consents, enrolments, attendance, responses, alerts."""

import sqlalchemy as sa
from alembic import op

revision = "0002_people"
down_revision = "0001_programme"


def upgrade() -> None:
    patients()
    links()
    consents()
    enrollments()
    enrollment_status_changes()
    attendances()
    attendance_changes()
    responses()
    response_changes()
    alerts()


def row() -> list[sa.Column[object]]:
    """Return the columns that every row has."""
    return [
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("row_version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    ]


def patients() -> None:
    op.create_table(
        "patients",
        *row(),
        sa.Column("family", sa.String(), nullable=False),
        sa.Column("given", sa.String(), nullable=False),
        sa.Column("gender", sa.String(32), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("line", sa.String(), nullable=True),
        sa.Column("city", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=True),
        sa.Column("postal_code", sa.String(), nullable=True),
        sa.Column("country", sa.String(), nullable=True),
        sa.Column("language", sa.String(), nullable=True),
        sa.Column("extensions", sa.JSON(), nullable=False),
    )


def links() -> None:
    op.create_table(
        "links",
        *row(),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("ehr_patient_id", sa.String(), nullable=False),
        sa.Column("mrn", sa.String(), nullable=False),
        sa.Column("mrn_system", sa.String(), nullable=False),
        sa.Column("method", sa.String(32), nullable=False),
        sa.Column("confirmed_by", sa.String(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.String(), nullable=True),
        sa.Column("undone_reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"]),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"]),
    )
    op.create_index("ix_links_connection_id", "links", ["connection_id"])
    op.create_index("ix_links_patient_id", "links", ["patient_id"])


def consents() -> None:
    op.create_table(
        "consents",
        *row(),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("category", sa.String(32), nullable=False),
        sa.Column("decision", sa.String(32), nullable=False),
        sa.Column("start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end", sa.DateTime(timezone=True), nullable=True),
        sa.Column("covers_part2", sa.Boolean(), nullable=False),
        sa.Column("shows_group_name", sa.Boolean(), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"]),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"]),
    )
    op.create_index("ix_consents_connection_id", "consents", ["connection_id"])
    op.create_index("ix_consents_patient_id", "consents", ["patient_id"])


def enrollments() -> None:
    op.create_table(
        "enrollments",
        *row(),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finish_reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["group_id"], ["support_groups.id"]),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"]),
    )
    op.create_index("ix_enrollments_group_id", "enrollments", ["group_id"])
    op.create_index("ix_enrollments_patient_id", "enrollments", ["patient_id"])


def enrollment_status_changes() -> None:
    op.create_table(
        "enrollment_status_changes",
        *row(),
        sa.Column("enrollment_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["enrollment_id"], ["enrollments.id"]),
    )
    op.create_index(
        "ix_enrollment_status_changes_enrollment_id", "enrollment_status_changes", ["enrollment_id"]
    )


def attendances() -> None:
    op.create_table(
        "attendances",
        *row(),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("enrollment_id", sa.Uuid(), nullable=False),
        sa.Column("mark", sa.String(32), nullable=False),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["enrollment_id"], ["enrollments.id"]),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"]),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"]),
        sa.UniqueConstraint("session_id", "patient_id"),
    )
    op.create_index("ix_attendances_patient_id", "attendances", ["patient_id"])
    op.create_index("ix_attendances_session_id", "attendances", ["session_id"])


def attendance_changes() -> None:
    op.create_table(
        "attendance_changes",
        *row(),
        sa.Column("attendance_id", sa.Uuid(), nullable=False),
        sa.Column("mark", sa.String(32), nullable=False),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replaced_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["attendance_id"], ["attendances.id"]),
    )
    op.create_index("ix_attendance_changes_attendance_id", "attendance_changes", ["attendance_id"])


def responses() -> None:
    op.create_table(
        "responses",
        *row(),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=True),
        sa.Column("connection_id", sa.Uuid(), nullable=True),
        sa.Column("instrument", sa.String(), nullable=False),
        sa.Column("instrument_version", sa.String(), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("authored", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("missing", sa.JSON(), nullable=False),
        sa.Column("received", sa.LargeBinary(), nullable=True),
        sa.Column("received_answers", sa.JSON(), nullable=True),
        sa.Column("received_status", sa.String(32), nullable=True),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"]),
        sa.ForeignKeyConstraint(["group_id"], ["support_groups.id"]),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"]),
    )
    op.create_index("ix_responses_group_id", "responses", ["group_id"])
    op.create_index("ix_responses_patient_id", "responses", ["patient_id"])


def response_changes() -> None:
    op.create_table(
        "response_changes",
        *row(),
        sa.Column("response_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("received", sa.LargeBinary(), nullable=True),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replaced_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["response_id"], ["responses.id"]),
    )
    op.create_index("ix_response_changes_response_id", "response_changes", ["response_id"])


def alerts() -> None:
    op.create_table(
        "alerts",
        *row(),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("response_id", sa.Uuid(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("escalation_contact", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"]),
        sa.ForeignKeyConstraint(["response_id"], ["responses.id"]),
        sa.UniqueConstraint("response_id"),
    )
    op.create_index("ix_alerts_patient_id", "alerts", ["patient_id"])
