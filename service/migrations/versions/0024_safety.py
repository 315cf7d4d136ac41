"""Alerts that reach a person: states, tiers, contacts, their stories; and the outbox."""

import sqlalchemy as sa
from alembic import op

revision = "0024_safety"
down_revision = "0023_scores"

MOMENT = sa.DateTime(timezone=True)
# An alert of before has its own tier: no rule is known by which it was raised.
TIER = "red"
ADDED = (
    sa.Column("connection_id", sa.Uuid(), nullable=True),
    sa.Column("group_id", sa.Uuid(), nullable=True),
    sa.Column("instrument", sa.String(), nullable=True),
    sa.Column("authored", MOMENT, nullable=True),
    sa.Column("tier", sa.String(), nullable=False, server_default=TIER),
    sa.Column("priority", sa.String(), nullable=False, server_default="stat"),
    sa.Column("crisis_resources", sa.String(), nullable=True),
    sa.Column("step", sa.Integer(), nullable=False, server_default="0"),
    sa.Column("round_began_at", MOMENT, nullable=True),
    sa.Column("due_at", MOMENT, nullable=True),
    sa.Column("close_by", MOMENT, nullable=True),
    sa.Column("nobody_left_at", MOMENT, nullable=True),
    sa.Column("acknowledged_at", MOMENT, nullable=True),
    sa.Column("acknowledged_by", sa.String(), nullable=True),
    sa.Column("resolved_at", MOMENT, nullable=True),
    sa.Column("resolved_by", sa.String(), nullable=True),
    sa.Column("disposition", sa.String(), nullable=True),
    sa.Column("stepped_up_at", MOMENT, nullable=True),
)
# They were raised by a response, whose hospital, group and time are theirs.
FROM_RESPONSES = """
UPDATE alerts SET
  connection_id = (SELECT r.connection_id FROM responses r WHERE r.id = alerts.response_id),
  group_id = (SELECT r.group_id FROM responses r WHERE r.id = alerts.response_id),
  instrument = (SELECT r.instrument FROM responses r WHERE r.id = alerts.response_id),
  authored = (SELECT r.authored FROM responses r WHERE r.id = alerts.response_id),
  round_began_at = raised_at, due_at = raised_at,
  state = CASE WHEN state = 'closed' THEN 'resolved' ELSE state END
"""


def upgrade() -> None:
    contacts()
    with op.batch_alter_table("alerts") as table:
        table.alter_column("response_id", existing_type=sa.Uuid(), nullable=True)
        for column in ADDED:
            table.add_column(column)
        table.create_foreign_key(
            "fk_alerts_connection_id", "connections", ["connection_id"], ["id"]
        )
        table.create_foreign_key("fk_alerts_group_id", "support_groups", ["group_id"], ["id"])
    op.create_index("ix_alerts_state", "alerts", ["state"])
    op.execute(FROM_RESPONSES)
    alert_events()
    outbox()


def row() -> list[sa.Column[object]]:
    """Return the columns that every row has."""
    return [
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("row_version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
    ]


def contacts() -> None:
    op.create_table(
        "contacts",
        *row(),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("secret", sa.String(), nullable=True),
        sa.Column("connection_id", sa.Uuid(), nullable=True),
        sa.Column("group_id", sa.Uuid(), nullable=True),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("hours", sa.JSON(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"]),
        sa.ForeignKeyConstraint(["group_id"], ["support_groups.id"]),
    )
    op.create_index("ix_contacts_connection_id", "contacts", ["connection_id"])
    op.create_index("ix_contacts_group_id", "contacts", ["group_id"])


def alert_events() -> None:
    op.create_table(
        "alert_events",
        *row(),
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("by", sa.String(), nullable=True),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("tier", sa.String(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("detail", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"]),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"]),
    )
    op.create_index("ix_alert_events_alert_id", "alert_events", ["alert_id"])


def outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("ordered_by", sa.String(), nullable=True),
        sa.Column("lane", sa.String(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("leased_until", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.String(32), nullable=True),
        sa.Column("failure", sa.String(), nullable=True),
        sa.Column("given_up_at", sa.BigInteger(), nullable=True),
    )
    op.create_index("ix_outbox_ordered_by", "outbox", ["ordered_by"])
    op.create_index("ix_outbox_due_at", "outbox", ["due_at"])
