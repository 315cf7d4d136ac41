"""Patients whom a hospital knows, added and linked to its records (ADR 0027).

https://hl7.org/fhir/R4/patient.html
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from service.commands import CreatePatient, LinkPatient
from service.driver import fetched
from service.errors import BusinessRuleError, DuplicateError, InvalidError
from service.imports.rows import Done, Outcome, Work
from service.models.connections import Connection
from service.models.patients import Link, LinkMethod, Patient

KNOWN = (
    "SELECT patient_id FROM links WHERE mrn = ? AND mrn <> '' AND connection_id = ?"
    " AND undone_at IS NULL UNION SELECT patient_id FROM links WHERE ehr_patient_id = ?"
    " AND ehr_patient_id <> '' AND connection_id = ? AND undone_at IS NULL"
)

ToPerson = Callable[[dict[str, Any]], tuple[CreatePatient, tuple[tuple[str, str], ...]]]


def connection_named(session: Session, name: str) -> Connection:
    """Return the connection of this name."""
    found = session.exec(select(Connection).where(Connection.name == name)).first()
    if found is None:
        raise InvalidError(f"there is no connection named {name}: see `alongside connections list`")
    return found


@dataclass(frozen=True)
class Taking:
    """Takes in the patients of one connection; `to_person` is the mapping of Patient.

    A person whom the programme knows by a link of this connection stays as the programme has them.
    One who is not linked to it but has the name and birth date of somebody known is for people to
    decide, unless `namesakes` says that they are others.
    """

    connection: Connection
    to_person: ToPerson
    namesakes: bool = False

    def __call__(self, work: Work, resource: dict[str, Any]) -> Done:
        person, identifiers = self.to_person(resource)
        system = self.connection.mrn_system
        number = next((value for name, value in identifiers if name == system), "")
        shown = str(resource.get("id", ""))
        if self._is_known(work.session, number, shown):
            return Done(Outcome.KNOWN)
        if not self.namesakes:
            self._refuse_namesake(work.session, person)
        if not number:
            rule = f"must have one of the system {system}, the record number of this hospital"
            raise InvalidError(rule, element="mrn")
        row = work.run(person)
        work.run(self._link(row.id, number, shown, work.by))
        return Done(Outcome.ADDED)

    def _link(self, patient_id: UUID, number: str, shown: str, by: str) -> LinkPatient:
        return LinkPatient(
            patient_id=patient_id,
            connection_id=self.connection.id,
            ehr_patient_id=shown,
            mrn=number,
            method=LinkMethod.IMPORT,
            confirmed_by=by,
        )

    def _is_known(self, session: Session, number: str, shown: str) -> bool:
        """Tell whether a link of this connection has this record number, or else this id."""
        hospital = self.connection.id.hex
        found = fetched(session, KNOWN, (number, hospital, shown, hospital))
        if len(found) > 1:
            rule = "the record number is linked to one person, the id to another"
            raise DuplicateError(rule, element="mrn")
        return bool(found)

    def _refuse_namesake(self, session: Session, person: CreatePatient) -> None:
        if person.birth_date is None:
            return
        linked = select(Link.patient_id).where(
            Link.connection_id == self.connection.id, col(Link.undone_at).is_(None)
        )
        born = select(Patient.id, Patient.family, Patient.given).where(
            Patient.birth_date == person.birth_date
        )
        name = (person.family.casefold(), person.given.casefold())
        for patient_id, family, given in session.exec(born):
            if (family.casefold(), given.casefold()) != name:
                continue
            if session.exec(linked.where(Link.patient_id == patient_id)).first() is None:
                rule = (
                    "somebody of this name and birth date is known and not linked to this hospital:"
                    " link them at /v1, or take both for two people by --namesakes"
                )
                raise BusinessRuleError(rule, element="Patient.name")
