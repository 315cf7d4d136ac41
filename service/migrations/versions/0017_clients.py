"""Keys that we sign with, software that registers itself, and issuers outside."""

import sqlalchemy as sa
from alembic import op

revision = "0017_clients"
down_revision = "0015_merges"


def upgrade() -> None:
    signing_keys()
    invitations()
    issuers()
    op.add_column("clients", sa.Column("certificate", sa.String(43), nullable=True))
    op.add_column("access_tokens", sa.Column("certificate", sa.String(43), nullable=True))
    op.add_column("clients", sa.Column("software", sa.JSON(), nullable=True))
    op.add_column("clients", sa.Column("registration_hash", sa.String(64), nullable=True))


def signing_keys() -> None:
    op.create_table(
        "signing_keys",
        *row(),
        sa.Column("kid", sa.String(), nullable=False, unique=True),
        sa.Column("algorithm", sa.String(), nullable=False),
        sa.Column("public", sa.String(), nullable=False),
        sa.Column("private", sa.String()),
        sa.Column("published_until", sa.BigInteger()),
    )


def invitations() -> None:
    op.create_table(
        "invitations",
        *row(),
        sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("connection_id", sa.Uuid(), sa.ForeignKey("connections.id")),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("ceiling", sa.String(32), nullable=False),
        sa.Column("roster_role", sa.Boolean(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("client_id", sa.Uuid(), sa.ForeignKey("clients.id")),
    )
    op.create_index("ix_invitations_connection_id", "invitations", ["connection_id"])
    op.create_index("ix_invitations_client_id", "invitations", ["client_id"])


def issuers() -> None:
    op.create_table(
        "issuers",
        sa.Column("client_id", sa.Uuid(), sa.ForeignKey("clients.id"), primary_key=True),
        sa.Column("issuer", sa.String(), nullable=False, unique=True),
        sa.Column("audience", sa.String()),
        sa.Column("algorithms", sa.String(), nullable=False),
        sa.Column("jwks_url", sa.String()),
        sa.Column("introspection_url", sa.String()),
        sa.Column("introspection_client", sa.String()),
        sa.Column("introspection_secret", sa.String()),
    )


def row() -> list[sa.Column[object]]:
    """Return the columns that every row has."""
    return [
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("row_version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    ]
