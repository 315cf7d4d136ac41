"""Series of sessions, what a session is of its series, and calendars of facilitators."""

import sqlalchemy as sa
from alembic import op

revision = "0010_series"
down_revision = "0009_upkeep"


def upgrade() -> None:
    series()
    sessions()
    calendars()


def row() -> list[sa.Column[object]]:
    """Return the columns that every row has."""
    return [
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("row_version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    ]


def series() -> None:
    op.create_table(
        "series",
        *row(),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("rrule", sa.String(), nullable=False),
        sa.Column("start", sa.DateTime(timezone=False), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=True),
        sa.Column("format", sa.String(32), nullable=False),
        sa.Column("minimum_size", sa.Integer(), nullable=True),
        sa.Column("ended_from", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["group_id"], ["support_groups.id"]),
        sa.ForeignKeyConstraint(["place_id"], ["places.id"]),
    )
    op.create_index("ix_series_group_id", "series", ["group_id"])


def sessions() -> None:
    """SQLite takes a reference to another table only with its column."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("ALTER TABLE sessions ADD COLUMN series_id CHAR(32) REFERENCES series (id)")
    else:
        op.add_column("sessions", sa.Column("series_id", sa.Uuid(), nullable=True))
        op.create_foreign_key(None, "sessions", "series", ["series_id"], ["id"])
    op.add_column("sessions", sa.Column("recurrence", sa.String(32), nullable=True))
    op.add_column("sessions", sa.Column("occurrence", sa.DateTime(timezone=False), nullable=True))
    op.add_column("sessions", sa.Column("revised_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_sessions_series_id", "sessions", ["series_id"])


def calendars() -> None:
    op.create_table(
        "calendars",
        *row(),
        sa.Column("facilitator_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=True),
        sa.ForeignKeyConstraint(["facilitator_id"], ["facilitators.id"]),
        sa.UniqueConstraint("facilitator_id"),
        sa.UniqueConstraint("token_hash"),
    )
