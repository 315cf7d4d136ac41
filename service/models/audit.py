"""The audit row: one for each request, in its writer's chain, and the seals of all chains.

On SQLite they live in a file of their own (ADR 0006, ADR 0031); there they have no months apart.
What ties a row to a person is in `audit_keys`, and what is changed before its row is written in
`audit_changes`, both in the main database (ADR 0037).

Request ids begin with the time, so the key serves periods too and there is no other index: each
row costs its request.
"""

from uuid import UUID

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, Table, Text
from sqlmodel import Field, SQLModel

from service.models.documents import BYTEWISE

audit_metadata = MetaData()

audit_entries = Table(
    "audit_entries",
    audit_metadata,
    Column("request_id", BYTEWISE, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("client", Text),
    Column("audience", BigInteger),
    Column("address", Text),
    Column("method", Text, nullable=False),
    Column("path", Text, nullable=False),  # the route; what stood in its place is in `detail`
    Column("query", Text),  # of commands, and of rows from before there was `detail`
    Column("status", Integer, nullable=False),
    Column("patients", Text),  # pseudonyms; ids in rows from before there were any
    Column("caller_id", Text),  # the request's id as the caller gave it
    Column("person", Text),  # on whose behalf
    Column("purpose", Text),
    Column("decision", Text),  # why it was refused, where that is known
    Column("kind", Text),
    Column("detail", Text),  # the address as it was asked, encrypted
    Column("writer", Text),  # with seq and hash: null in rows from before there were chains
    Column("seq", BigInteger),
    Column("hash", LargeBinary),
    sqlite_with_rowid=False,
    postgresql_partition_by="RANGE (request_id)",
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


class AuditKey(SQLModel, table=True):
    """What a patient is in audit rows; a key that was destroyed leaves an empty row."""

    __tablename__ = "audit_keys"

    patient_id: UUID = Field(primary_key=True)
    pseudonym: str | None = Field(default=None, unique=True, max_length=32)
    key: str | None = Field(default=None, max_length=64)


class AuditChange(SQLModel, table=True):
    """A change that was committed, until its request's audit row is seen to be there."""

    __tablename__ = "audit_changes"

    request_id: str = Field(primary_key=True, max_length=32)
    at: int = Field(sa_type=BigInteger, index=True)
    client: str | None = None
    audience: int | None = Field(default=None, sa_type=BigInteger)
    address: str | None = None
    method: str
    path: str
    patients: str | None = None  # ids: a row lives for minutes
    person: str | None = None
    purpose: str | None = None
