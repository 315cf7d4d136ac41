"""What can be asked of patients and of their links to hospitals' records."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from service.commands.unset import UNSET, Unset
from service.models.patients import Gender, LinkMethod


@dataclass(frozen=True, kw_only=True)
class CreatePatient:
    family: str
    given: str
    gender: Gender = Gender.UNKNOWN
    birth_date: date | None = None
    phone: str | None = None
    email: str | None = None
    line: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None
    language: str | None = None
    extensions: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, kw_only=True)
class ReceivePatient:
    """A Patient that a hospital sent, byte for byte, with what the programme takes from it.

    Whether the programme knew the person is for the programme to find out: it is a new person
    here until somebody says otherwise.
    """

    patient_id: UUID
    connection_id: UUID
    received: bytes
    sent_by: str
    family: str = ""
    given: str = ""
    gender: Gender = Gender.UNKNOWN
    birth_date: date | None = None
    phone: str | None = None
    email: str | None = None
    line: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None
    language: str | None = None
    identifiers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class UpdatePatient:
    patient_id: UUID
    family: str | Unset = UNSET
    given: str | Unset = UNSET
    gender: Gender | Unset = UNSET
    birth_date: date | Unset | None = UNSET
    phone: str | Unset | None = UNSET
    email: str | Unset | None = UNSET
    language: str | Unset | None = UNSET
    if_match: int | None = None


@dataclass(frozen=True, kw_only=True)
class LinkPatient:
    patient_id: UUID
    connection_id: UUID
    ehr_patient_id: str
    mrn: str
    mrn_system: str | None = None
    method: LinkMethod = LinkMethod.MANUAL
    confirmed_by: str


@dataclass(frozen=True, kw_only=True)
class UndoLink:
    link_id: UUID
    undone_by: str
    reason: str
    if_match: int | None = None
