"""What all tables share: UTC times, enums as text, row versions, and which tables are projected."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Dialect, Enum, TypeDecorator
from sqlmodel import Field, SQLModel

from service.clock import system_clock
from service.identifiers import new_id


def utc_now() -> datetime:
    """Return the present time, in UTC; the default of creation stamps only."""
    return system_clock()


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC; a naive datetime is refused, because nobody knows what it means."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            message = "a time without an offset cannot be stored"
            raise ValueError(message)
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class WallTime(TypeDecorator[datetime]):
    """What clocks show somewhere, without an offset; one with an offset is refused."""

    impl = DateTime(timezone=False)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is not None:
            message = "a wall-clock time has no offset"
            raise ValueError(message)
        return value


def enum_text(enum: type[StrEnum]) -> Any:  # noqa: ANN401 - SQLModel types `sa_type` as a class
    """Return a column type that stores the enum's value as text on every database."""
    return Enum(
        enum,
        native_enum=False,
        length=32,
        create_constraint=False,
        values_callable=lambda members: [member.value for member in members],
    )


class Row(SQLModel):
    """A row with a time-ordered key and a version that the unit of work raises."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    row_version: int = Field(default=1, sa_type=BigInteger)
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)


class Projected(Row):
    """A row from which FHIR documents are made; only the unit of work may write it."""


class Addressed(SQLModel):
    """What an organisation or a place says of where it is."""

    phone: str | None = None
    line: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None


def projected_tables() -> frozenset[str]:
    """Return the names of the tables that only the unit of work may write."""
    found: set[str] = set()
    pending: list[type] = [Projected]
    while pending:
        cls: type
        for cls in pending.pop().__subclasses__():
            pending.append(cls)
            name = getattr(cls, "__tablename__", None)
            if hasattr(cls, "__table__") and isinstance(name, str):
                found.add(name)
    return frozenset(found)
