"""The document store: current documents, their history, search index and events.

Times are microseconds since 1970 and ids 32 hex digits, so that the few hot statements are the
same text for SQLite and PostgreSQL.
"""

from enum import StrEnum

from sqlalchemy import BigInteger, Index, LargeBinary, String
from sqlmodel import Field, SQLModel

from service.models.base import enum_text
from service.models.purposes import EVERY_PURPOSE

PUBLIC = 0
PROGRAMME = 1
FIRST_CONNECTION = 2
# Compared byte by byte, whatever the database's language, so that an index finds beginnings.
BYTEWISE = String().with_variant(String(collation="C"), "postgresql")


class Document(SQLModel, table=True):
    """The current version of one resource for one audience; deleted ones stay as tombstones.

    `chosen_id` is the id that its client gave it, in place of `id` (ADR 0010); `created` the stamp
    of its first version; `indexed` the revision of the index rows that it has; `purposes` the
    set of those for which its audience may have it. Index rows name it by `number`, which grows,
    so that what is written together lies together (ADR 0044).
    """

    __tablename__ = "documents"
    __table_args__ = (
        Index("ix_documents_subject", "audience", "type", "subject", "date_low"),
        Index("ix_documents_updated", "audience", "type", "last_updated"),
        Index("ix_documents_date", "audience", "type", "date_low"),
        Index("ix_documents_id", "audience", "type", "id"),
        Index("ix_documents_source", "source"),
        Index("ix_documents_number", "number", unique=True),
        Index("ix_documents_indexed", "indexed"),
    )

    id: str = Field(primary_key=True, max_length=32)
    number: int = Field(sa_type=BigInteger)
    audience: int = Field(sa_type=BigInteger)
    type: str
    version: int = Field(sa_type=BigInteger)
    last_updated: int = Field(sa_type=BigInteger)
    content: bytes = Field(sa_type=LargeBinary)
    deleted: bool = False
    source: str
    patient_key: str | None = None
    subject: str | None = None
    date_low: int | None = Field(default=None, sa_type=BigInteger)
    date_high: int | None = Field(default=None, sa_type=BigInteger)
    confidentiality: int
    purposes: int = EVERY_PURPOSE
    sensitivity: str = ""
    owner: str = "programme"
    revision: int = 1
    chosen_id: str | None = Field(default=None, max_length=64)
    created: int = Field(default=0, sa_type=BigInteger)
    indexed: int = 0


class DocumentVersion(SQLModel, table=True):
    """A version that was replaced, compressed; sealed once consent to it has changed."""

    __tablename__ = "document_versions"
    __table_args__ = {"sqlite_with_rowid": False}

    id: str = Field(primary_key=True, max_length=32)
    version: int = Field(primary_key=True, sa_type=BigInteger)
    last_updated: int = Field(sa_type=BigInteger)
    content: bytes = Field(sa_type=LargeBinary)
    deleted: bool = False
    confidentiality: int
    purposes: int = EVERY_PURPOSE
    sealed: bool = False


class DocumentToken(SQLModel, table=True):
    """A token by which a current document can be found."""

    __tablename__ = "document_tokens"
    __table_args__ = (
        Index(
            "ix_document_tokens_value", "audience", "type", "param", "code", "system", "document"
        ),
        {"sqlite_with_rowid": False},
    )

    document: int = Field(primary_key=True, sa_type=BigInteger)
    param: str = Field(primary_key=True)
    system: str = Field(primary_key=True)
    code: str = Field(primary_key=True)
    audience: int = Field(sa_type=BigInteger)
    type: str


class DocumentString(SQLModel, table=True):
    """A string by which a document can be found: without case and accents, and as it is."""

    __tablename__ = "document_strings"
    __table_args__ = (
        Index("ix_document_strings_value", "audience", "type", "param", "value", "document"),
        {"sqlite_with_rowid": False},
    )

    document: int = Field(primary_key=True, sa_type=BigInteger)
    param: str = Field(primary_key=True)
    value: str = Field(primary_key=True, sa_type=BYTEWISE)
    original: str = Field(primary_key=True)
    audience: int = Field(sa_type=BigInteger)
    type: str


class DocumentDate(SQLModel, table=True):
    """A date, from its first to its last microsecond, by which a document can be found."""

    __tablename__ = "document_dates"
    __table_args__ = (
        Index("ix_document_dates_value", "audience", "type", "param", "low", "high", "document"),
        {"sqlite_with_rowid": False},
    )

    document: int = Field(primary_key=True, sa_type=BigInteger)
    param: str = Field(primary_key=True)
    low: int = Field(primary_key=True, sa_type=BigInteger)
    high: int = Field(primary_key=True, sa_type=BigInteger)
    audience: int = Field(sa_type=BigInteger)
    type: str


class DocumentNumber(SQLModel, table=True):
    """A number or quantity, as a range, by which a document can be found."""

    __tablename__ = "document_numbers"
    __table_args__ = (
        Index("ix_document_numbers_value", "audience", "type", "param", "low", "high", "document"),
        {"sqlite_with_rowid": False},
    )

    document: int = Field(primary_key=True, sa_type=BigInteger)
    param: str = Field(primary_key=True)
    low: float = Field(primary_key=True)
    high: float = Field(primary_key=True)
    system: str = Field(primary_key=True)
    code: str = Field(primary_key=True)
    unit: str = Field(primary_key=True)
    audience: int = Field(sa_type=BigInteger)
    type: str


class DocumentReference(SQLModel, table=True):
    """A reference by which a document can be found.

    `target` is the id (the column of `documents`) of a document here, of `target_type`; or, where
    `target_type` is empty, an absolute address or a canonical one.
    """

    __tablename__ = "document_references"
    __table_args__ = (
        Index("ix_document_references_target", "audience", "target", "type", "param", "document"),
        {"sqlite_with_rowid": False},
    )

    document: int = Field(primary_key=True, sa_type=BigInteger)
    param: str = Field(primary_key=True)
    target: str = Field(primary_key=True)
    target_type: str = Field(primary_key=True)
    audience: int = Field(sa_type=BigInteger)
    type: str


class Event(SQLModel, table=True):
    """A version came to be: what subscriptions and deliveries will be made from."""

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_at", "audience", "at"),)

    number: int | None = Field(default=None, primary_key=True)
    id: str = Field(index=True, max_length=32)
    version: int = Field(sa_type=BigInteger)
    audience: int = Field(sa_type=BigInteger)
    type: str
    kind: str
    at: int = Field(sa_type=BigInteger)


class DueKind(StrEnum):
    CONSENTS = "consents"
    ENROLLMENT = "enrollment"
    MEASUREMENT = "measurement"


class ProjectionDue(SQLModel, table=True):
    """What the clock changes at a known moment.

    A patient whose consents begin or end (ADR 0005), an enrolment whose status ends (ADR 0022), or
    one for which a questionnaire becomes due (ADR 0047).
    """

    __tablename__ = "projection_due"

    kind: DueKind = Field(sa_type=enum_text(DueKind), primary_key=True)
    key: str = Field(primary_key=True, max_length=32)
    at: int = Field(sa_type=BigInteger, index=True)
