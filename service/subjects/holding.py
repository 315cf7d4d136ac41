"""How a table holds something about a person: what it is to them, and how its rows are found."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_
from sqlalchemy import select as select_columns
from sqlmodel import Session as DbSession
from sqlmodel import col, select

from service.models.base import Row
from service.models.patients import Patient

OF_PERSON = ("patient_id",)


class Kind(StrEnum):
    """Kinds of record, as a rule of retention names them."""

    PERSON = "person"
    LINKS = "links"
    SENT = "sent"
    CONSENTS = "consents"
    AGREEMENTS = "agreements"
    ENROLMENTS = "enrolments"
    ATTENDANCE = "attendance"
    RESPONSES = "responses"
    ALERTS = "alerts"
    MERGES = "merges"
    REQUESTS = "requests"
    EMERGENCIES = "emergencies"
    DOCUMENTS = "documents"  # of clients, kept as they were sent: in no table but the store


# What cannot be understood, or kept, without another kind is not kept without it.
NEEDS: dict[Kind, frozenset[Kind]] = {
    Kind.ATTENDANCE: frozenset({Kind.ENROLMENTS}),
    Kind.AGREEMENTS: frozenset({Kind.ENROLMENTS}),
    Kind.ALERTS: frozenset({Kind.RESPONSES}),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Holding:
    """A table; `shows` has its columns in the words of the page, `by` those with a patient's id.

    One that hangs `on` another table has there the column that leads to it.
    """

    table: type[Row]
    kind: Kind
    title: str
    shows: dict[str, str]
    by: tuple[str, ...] = OF_PERSON
    on: "tuple[str, Holding] | None" = None
    hides: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return str(self.table.__tablename__)

    def where(self, family: Iterable[UUID]) -> ColumnElement[bool]:
        """Return the condition of the rows that are about these records of one person."""
        columns = self.table.__table__.c  # type: ignore[attr-defined]
        if self.on is None:
            ids = list(family)
            return or_(*(columns[name].in_(ids) for name in self.by))
        name, parent = self.on
        within = select_columns(col(parent.table.id)).where(parent.where(family))
        found: ColumnElement[bool] = columns[name].in_(within)
        return found


def rows_of(session: DbSession, holding: Holding, family: Iterable[UUID]) -> list[Any]:
    """Return the rows of a table that are about these records of one person, oldest first."""
    found = select(holding.table).where(holding.where(family)).order_by(col(holding.table.id))
    return list(session.exec(found))


def family_of(session: DbSession, patient_id: UUID) -> set[UUID]:
    """Return the record and all that were merged into it, each by way of others too."""
    found, pending = set[UUID](), {patient_id}
    while pending:
        found |= pending
        into = select(Patient.id).where(col(Patient.merged_into_id).in_(pending))
        pending = set(session.exec(into)) - found
    return found
