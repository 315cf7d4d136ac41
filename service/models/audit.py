"""The audit row: one for each request, in its writer's chain, and the seals of all chains.

On SQLite they live in a file of their own (ADR 0006, ADR 0031).

Request ids begin with the time, so the key serves periods too and there is no other index: each
row costs its request.
"""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, Table, Text

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
    Column("writer", Text),  # with seq and hash: null in rows from before there were chains
    Column("seq", BigInteger),
    Column("hash", LargeBinary),
    sqlite_with_rowid=False,
)

audit_seals = Table(
    "audit_seals",
    audit_metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("writer", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("seal", LargeBinary, nullable=False),
)
