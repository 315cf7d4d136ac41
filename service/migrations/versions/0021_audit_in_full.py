"""Pseudonyms, changes that wait for their rows, privacy officers, and months on PostgreSQL.

Rows that there are stay as they are, in one partition from before there were months; the columns
that they lack are null. On SQLite `service.audit.prepare` does it.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0021_audit_in_full"
down_revision = "0020_fence"

BEFORE = "audit_entries_before"
OTHERS = "audit_entries_others"
ADDED = ("person", "purpose", "decision", "kind", "detail")


def upgrade() -> None:
    keys()
    changes()
    no = sa.false()
    op.add_column(
        "clients", sa.Column("privacy_officer", sa.Boolean(), nullable=False, server_default=no)
    )
    if op.get_bind().dialect.name == "sqlite":
        return
    for name in ADDED:
        op.add_column("audit_entries", sa.Column(name, sa.Text()))
    op.execute('ALTER TABLE audit_entries ALTER COLUMN request_id TYPE varchar COLLATE "C"')
    op.execute(f"ALTER TABLE audit_entries RENAME TO {BEFORE}")
    op.execute(f"ALTER INDEX audit_entries_pkey RENAME TO {BEFORE}_pkey")
    months()


def keys() -> None:
    op.create_table(
        "audit_keys",
        sa.Column("patient_id", sa.Uuid(), primary_key=True),
        sa.Column("pseudonym", sa.String(32), unique=True),
        sa.Column("key", sa.String(64)),
    )


def changes() -> None:
    op.create_table(
        "audit_changes",
        sa.Column("request_id", sa.String(32), primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("client", sa.String()),
        sa.Column("audience", sa.BigInteger()),
        sa.Column("address", sa.String()),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("patients", sa.String()),
        sa.Column("person", sa.String()),
        sa.Column("purpose", sa.String()),
    )
    op.create_index("ix_audit_changes_at", "audit_changes", ["at"])


def months() -> None:
    """Put what there is into one partition that ends with this month; the others follow."""
    op.create_table(
        "audit_entries",
        sa.Column("request_id", sa.String(collation="C"), primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("client", sa.Text()),
        sa.Column("audience", sa.BigInteger()),
        sa.Column("address", sa.Text()),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("query", sa.Text()),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("patients", sa.Text()),
        sa.Column("caller_id", sa.Text()),
        *(sa.Column(name, sa.Text()) for name in ADDED),
        sa.Column("writer", sa.Text()),
        sa.Column("seq", sa.BigInteger()),
        sa.Column("hash", sa.LargeBinary()),
        postgresql_partition_by="RANGE (request_id)",
    )
    op.execute(f"CREATE TABLE {OTHERS} PARTITION OF audit_entries DEFAULT")
    newest = op.get_bind().execute(sa.text(f"SELECT max(request_id) FROM {BEFORE}")).scalar()  # noqa: S608
    if newest is None:
        op.drop_table(BEFORE)
        return
    bound = max(first_id_of_next_month(), newest + "0")
    op.execute(
        f"ALTER TABLE audit_entries ATTACH PARTITION {BEFORE}"
        f" FOR VALUES FROM (MINVALUE) TO ('{bound}')"
    )


def first_id_of_next_month() -> str:
    now = datetime.now(UTC)
    years, month = divmod(now.year * 12 + now.month, 12)
    seconds = datetime(years, month + 1, 1, tzinfo=UTC).timestamp()
    return f"{int(seconds * 1000):012x}" + "0" * 20
