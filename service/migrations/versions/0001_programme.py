"""The programme, its groups and sessions, hospitals, clients and tokens."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0001_programme"
down_revision = None


def upgrade() -> None:
    installation()
    programme()
    places()
    facilitators()
    instruments()
    connections()
    facilities()
    clients()
    access_tokens()
    support_groups()
    sessions()


def row() -> list[sa.Column[object]]:
    """Return the columns that every row has."""
    return [
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("row_version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    ]


def installation() -> None:
    table = op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("identifier_key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.bulk_insert(table, [{"id": 1, "identifier_key": secrets.token_bytes(32)}])


def programme() -> None:
    op.create_table(
        "programme",
        *row(),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("line", sa.String(), nullable=True),
        sa.Column("city", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=True),
        sa.Column("postal_code", sa.String(), nullable=True),
        sa.Column("country", sa.String(), nullable=True),
    )


def places() -> None:
    op.create_table(
        "places",
        *row(),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("line", sa.String(), nullable=True),
        sa.Column("city", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=True),
        sa.Column("postal_code", sa.String(), nullable=True),
        sa.Column("country", sa.String(), nullable=True),
    )


def facilitators() -> None:
    op.create_table(
        "facilitators",
        *row(),
        sa.Column("family", sa.String(), nullable=False),
        sa.Column("given", sa.String(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("name_is_public", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
    )


def instruments() -> None:
    op.create_table(
        "instruments",
        *row(),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
    )
    op.create_index("ix_instruments_name", "instruments", ["name"])


def connections() -> None:
    op.create_table(
        "connections",
        *row(),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("environment", sa.String(32), nullable=False),
        sa.Column("policy", sa.String(32), nullable=False),
        sa.Column("mrn_system", sa.String(), nullable=False),
        sa.UniqueConstraint("name"),
        sa.UniqueConstraint("number"),
    )


def facilities() -> None:
    op.create_table(
        "facilities",
        *row(),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("line", sa.String(), nullable=True),
        sa.Column("city", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=True),
        sa.Column("postal_code", sa.String(), nullable=True),
        sa.Column("country", sa.String(), nullable=True),
        sa.Column("part_of_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"]),
        sa.ForeignKeyConstraint(["part_of_id"], ["facilities.id"]),
    )
    op.create_index("ix_facilities_connection_id", "facilities", ["connection_id"])


def clients() -> None:
    op.create_table(
        "clients",
        *row(),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=True),
        sa.Column("secret_hash", sa.String(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("ceiling", sa.String(32), nullable=False),
        sa.Column("roster_role", sa.Boolean(), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"]),
        sa.UniqueConstraint("name"),
    )
    op.create_index("ix_clients_connection_id", "clients", ["connection_id"])


def access_tokens() -> None:
    op.create_table(
        "access_tokens",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("issued_by", sa.String(), nullable=False),
        sa.Column("revoked", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"]),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_index("ix_access_tokens_client_id", "access_tokens", ["client_id"])
    op.create_index("ix_access_tokens_expires_at", "access_tokens", ["expires_at"])


def support_groups() -> None:
    op.create_table(
        "support_groups",
        *row(),
        sa.Column("public_name", sa.String(), nullable=False),
        sa.Column("neutral_name", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("facilitation", sa.String(32), nullable=False),
        sa.Column("modality", sa.String(32), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("eligibility", sa.String(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("sensitivity", sa.String(32), nullable=False),
        sa.Column("part2", sa.Boolean(), nullable=False),
        sa.Column("instruments", sa.String(), nullable=False),
        sa.Column("escalation_contact", sa.String(), nullable=True),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=True),
        sa.Column("facilitator_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["facilitator_id"], ["facilitators.id"]),
        sa.ForeignKeyConstraint(["place_id"], ["places.id"]),
    )


def sessions() -> None:
    op.create_table(
        "sessions",
        *row(),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("cancel_reason", sa.String(), nullable=True),
        sa.Column("place_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["group_id"], ["support_groups.id"]),
        sa.ForeignKeyConstraint(["place_id"], ["places.id"]),
    )
    op.create_index("ix_sessions_group_id", "sessions", ["group_id"])
