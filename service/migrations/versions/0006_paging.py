"""Indexes to walk the documents of a type by id, and what became of them by time."""

from alembic import op

revision = "0006_paging"
down_revision = "0005_sent_patients"


def upgrade() -> None:
    op.create_index("ix_documents_id", "documents", ["audience", "type", "id"])
    op.create_index("ix_events_at", "events", ["audience", "at"])
