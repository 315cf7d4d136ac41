"""The keys by which imported files know our rows, and indexes to find a person again."""

import sqlalchemy as sa
from alembic import op

revision = "0014_imports"
down_revision = "0013_idempotency"


def upgrade() -> None:
    op.create_table(
        "import_keys",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("row_version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.UniqueConstraint("kind", "key"),
    )
    op.create_index("ix_import_keys_row_id", "import_keys", ["row_id"])
    op.create_index("ix_links_mrn", "links", ["mrn", "connection_id"])
    op.create_index("ix_links_ehr_patient_id", "links", ["ehr_patient_id", "connection_id"])
    op.create_index("ix_patients_birth_date", "patients", ["birth_date"])
