"""Merges of two records of one person, and what each moved."""

import sqlalchemy as sa
from alembic import op

revision = "0015_merges"
down_revision = "0014_imports"


def upgrade() -> None:
    refer_to_patient("patients", "merged_into_id")
    op.create_index("ix_patients_merged_into_id", "patients", ["merged_into_id"])
    refer_to_patient("links", "known_as_id")
    refer_to_patient("enrollments", "made_for_id")
    op.create_table(
        "merges",
        *row(),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("merged_by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.String(), nullable=True),
        sa.Column("undone_reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["source_id"], ["patients.id"]),
        sa.ForeignKeyConstraint(["target_id"], ["patients.id"]),
    )
    op.create_index("ix_merges_source_id", "merges", ["source_id"])
    op.create_index("ix_merges_target_id", "merges", ["target_id"])
    op.create_table(
        "merge_moves",
        *row(),
        sa.Column("merge_id", sa.Uuid(), nullable=False),
        sa.Column("table_name", sa.String(), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("moving", sa.String(32), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(["merge_id"], ["merges.id"]),
    )
    op.create_index("ix_merge_moves_merge_id", "merge_moves", ["merge_id"])


def row() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("row_version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )


def refer_to_patient(table: str, column: str) -> None:
    """Add the column; Alembic has no way to say REFERENCES in SQLite's ADD COLUMN."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column} CHAR(32) REFERENCES patients (id)")
        return
    op.add_column(table, sa.Column(column, sa.Uuid(), nullable=True))
    op.create_foreign_key(f"{table}_{column}_fkey", table, "patients", [column], ["id"])
