"""Consents with purposes, exceptions, evidence and versions; documents for some purposes only."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0019_consents"
down_revision = "0018_audit_chain"

EVERY = str(2**31 - 1)
# A permit was given when nobody read for anything but treatment; a denial was one of everything.
PURPOSES = "UPDATE consents SET purposes = '[\"TREAT\"]' WHERE decision = 'permit'"
CATEGORIES = "UPDATE consents SET categories = CAST('[\"' || category || '\"]' AS {json})"
# What a hospital sent is its own, for whatever purpose; what it was given was for treatment.
DOCUMENTS = (
    "UPDATE documents SET purposes = 1 WHERE audience >= 2 AND owner = 'programme'"
    " AND (patient_key IS NOT NULL OR type = 'Group')"
)
VERSIONS = (
    "UPDATE document_versions SET purposes = 1 WHERE id IN"
    " (SELECT id FROM documents WHERE audience >= 2 AND purposes = 1)"
)


def upgrade() -> None:
    consents()
    versions()
    for table in ("clients", "invitations"):
        purpose = sa.Column("purpose", sa.String(32), nullable=False, server_default="TREAT")
        op.add_column(table, purpose)
    op.add_column(
        "connections",
        sa.Column("authority", sa.String(32), nullable=False, server_default="confirm"),
    )
    for table in ("documents", "document_versions"):
        op.add_column(
            table, sa.Column("purposes", sa.Integer(), nullable=False, server_default=EVERY)
        )
    op.execute(DOCUMENTS)
    op.execute(VERSIONS)


def consents() -> None:
    for name in ("categories", "purposes", "labels", "provisions"):
        column = sa.Column(name, sa.JSON(), nullable=False, server_default="[]")
        op.add_column("consents", column)
    more: tuple[sa.Column[Any], ...] = (
        sa.Column("evidence", sa.JSON(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retracted", sa.JSON(), nullable=False, server_default="{}"),
        sa.Column("standing", sa.String(32), nullable=False, server_default="confirmed"),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.String(), nullable=True),
        sa.Column("sent_as", sa.String(32), nullable=True),
    )
    for each in more:
        op.add_column("consents", each)
    op.execute(PURPOSES)
    json = "TEXT" if op.get_bind().dialect.name == "sqlite" else "JSON"
    op.execute(CATEGORIES.format(json=json))
    op.execute("ALTER TABLE consents DROP COLUMN category")
    op.create_index("ix_consents_sent_as", "consents", ["sent_as"])


def versions() -> None:
    op.create_table(
        "consent_versions",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("row_version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("consent_id", sa.Uuid(), sa.ForeignKey("consents.id"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("said", sa.JSON(), nullable=False),
        sa.UniqueConstraint("consent_id", "version"),
    )
    op.create_index("ix_consent_versions_consent_id", "consent_versions", ["consent_id"])
