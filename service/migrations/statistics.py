"""What SQLite's planner is told of the document store: the shape of a million documents.

Without statistics it takes a patient's documents for no fewer than a type's, and walks all of them
in order. Those of a small database would mislead it as the database grows, so they are fixed.
https://www.sqlite.org/optoverview.html#using_an_sqlite_stat1_table
"""

from sqlalchemy import Connection, text

# Table and index (of a table without rowid, its own name): rows in all, then how many rows have
# the same first column of the index, the same first two, and so on.
STATISTICS = {
    ("documents", "sqlite_autoindex_documents_1"): "1000000 1",
    ("documents", "ix_documents_id"): "1000000 300000 50000 1",
    ("documents", "ix_documents_subject"): "1000000 300000 50000 20 2",
    ("documents", "ix_documents_date"): "1000000 300000 50000 3",
    ("documents", "ix_documents_updated"): "1000000 300000 50000 2",
    ("documents", "ix_documents_source"): "1000000 3",
    ("documents", "ix_documents_number"): "1000000 1",
    ("documents", "ix_documents_indexed"): "1000000 1000000",
    ("document_tokens", "document_tokens"): "5000000 6 2 1 1",
    ("document_tokens", "ix_document_tokens_value"): "5000000 1500000 250000 50000 500 500 1",
    ("document_strings", "document_strings"): "2500000 4 2 1 1",
    ("document_strings", "ix_document_strings_value"): "2500000 800000 150000 50000 30 1",
    ("document_dates", "document_dates"): "200000 1 1 1 1",
    ("document_dates", "ix_document_dates_value"): "200000 100000 50000 50000 10 10 1",
    ("document_numbers", "document_numbers"): "300000 1 1 1 1 1 1 1",
    ("document_numbers", "ix_document_numbers_value"): "300000 150000 150000 150000 3000 3000 1",
    ("document_references", "document_references"): "700000 2 2 1 1",
    ("document_references", "ix_document_references_target"): "700000 230000 10 10 10 1",
}
CREATE = "ANALYZE sqlite_schema"  # makes the table, and reads it anew
CLEAR = "DELETE FROM sqlite_stat1"
INSERT = "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)"


def set_statistics(connection: Connection) -> None:
    """Replace the planner's statistics, where the database is SQLite."""
    if connection.dialect.name != "sqlite":
        return
    connection.execute(text(CREATE))
    connection.execute(text(CLEAR))
    connection.exec_driver_sql(INSERT, [(*key, stat) for key, stat in STATISTICS.items()])
    connection.execute(text(CREATE))


def keep_statistics(connection: Connection) -> None:
    """Set them again where somebody, such as ANALYZE, has changed them."""
    if connection.dialect.name != "sqlite":
        return
    told = connection.execute(text("SELECT tbl, idx, stat FROM sqlite_stat1"))
    if {(table, index): stat for table, index, stat in told} != STATISTICS:
        set_statistics(connection)
