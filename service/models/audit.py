"""The audit row: one for each request. On SQLite it lives in a file of its own (ADR 0006).

Request ids begin with the time, so the key serves periods too and there is no other index: each
row costs its request.
"""

from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, Text

audit_metadata = MetaData()

audit_entries = Table(
    "audit_entries",
    audit_metadata,
    Column("request_id", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("client", Text),
    Column("audience", BigInteger),
    Column("address", Text),
    Column("method", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("query", Text),
    Column("status", Integer, nullable=False),
    Column("patients", Text),
    Column("caller_id", Text),  # the request's id as the caller gave it
    sqlite_with_rowid=False,
)
