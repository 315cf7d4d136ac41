"""Changes that mean something to the programme: each becomes a command of the domain.

DESIGN section 2: a client's document that means something is executed in the same transaction.
"""

from dataclasses import replace
from functools import partial
from uuid import UUID

from sqlmodel import Session as DbSession
from sqlmodel import col, select

from service.commands import CorrectResponse, ReceiveConsent, ReceivePatient
from service.errors import InvalidError, NotSupportedError
from service.fhir.changes import Change, Sender
from service.fhir.documents import Stored
from service.fhir.submission import owned_by_programme
from service.models.connections import Facility
from service.models.screening import Response
from service.patients import receive_patient, replace_sent
from service.rows import get
from service.screening import correct_response, record_response
from service.sent_consents import receive_consent


def receive(session: DbSession, sender: Sender, change: Change) -> None:
    """Take in a Patient that a hospital sent."""
    receive_patient(session, _received(sender, change, change.uid), sender.endpoint.clock())


def replace_patient(session: DbSession, sender: Sender, change: Change, stored: Stored) -> None:
    """Keep what a hospital now says of its Patient."""
    replace_sent(session, _received(sender, change, UUID(stored.patient_key)))


def _received(sender: Sender, change: Change, patient_id: UUID) -> ReceivePatient:
    connection_id = sender.access.connection_id
    if connection_id is None or change.lexical is None:
        raise NotSupportedError("the programme keeps people at /v1/patients")
    command: ReceivePatient = sender.writing.to_patient(
        change.lexical.value,
        patient_id=patient_id,
        connection_id=connection_id,
        sent_by=sender.access.client,
        received=change.body,
    )
    return command


def say_consent(
    session: DbSession, sender: Sender, change: Change, patient_key: str | None
) -> None:
    """Execute what a hospital says of itself in a Consent; a deleted one says no more."""
    connection_id = sender.access.connection_id
    if connection_id is None:
        raise NotSupportedError("the programme records consents at /v1/patients/{id}/consents")
    if patient_key is None:
        element = "Consent.patient"
        raise InvalidError("must refer to a Patient that can be read here", element=element)
    provision, evidence = None, None
    if change.lexical is not None:
        ours = partial(_is_hospital, change, _organization(session, sender, connection_id))
        provision = sender.writing.to_provision(change.lexical.value, ours)
        evidence = sender.writing.to_evidence(change.lexical.value)
    command = ReceiveConsent(
        patient_id=UUID(patient_key),
        connection_id=connection_id,
        sent_as=change.place.id,
        provision=provision,
        evidence=evidence,
        sent_by=sender.access.client,
    )
    receive_consent(session, command, sender.endpoint.clock())


def _organization(session: DbSession, sender: Sender, connection_id: UUID) -> str | None:
    """Return the id of the Organization that the hospital is, in its own audience."""
    where = (Facility.connection_id == connection_id, col(Facility.part_of_id).is_(None))
    statement = select(Facility.id).where(*where).order_by(col(Facility.id))
    root = session.exec(statement).first()
    return sender.audience.id("Organization", f"facility:{root.hex}") if root else None


def _is_hospital(change: Change, organization: str | None, expression: str) -> bool:
    place = change.places.get(expression)
    return place is not None and place.type == "Organization" and place.id == organization


def record(session: DbSession, sender: Sender, change: Change, patient_key: str | None) -> bool:
    """Record and score a response; return whether it raised an alert."""
    if change.lexical is None or patient_key is None:
        element = "QuestionnaireResponse.subject"
        raise InvalidError("must refer to a Patient that can be read here", element=element)
    command = sender.writing.to_command(
        change.lexical.value,
        patient_id=UUID(patient_key),
        connection_id=sender.access.connection_id,
        received=change.body,
        now=sender.endpoint.clock(),
    )
    command = replace(command, response_id=change.uid)
    return record_response(session, command, sender.endpoint.clock()).alert is not None


def correct(session: DbSession, sender: Sender, change: Change, stored: Stored) -> bool:
    """Correct a response; return whether it raised an alert."""
    row = get(session, Response, UUID(stored.source.removeprefix("response:")))
    access = sender.access
    if not access.is_programme and row.connection_id != access.connection_id:
        # That another hospital sent it would tell of a person's other hospital.
        raise owned_by_programme(change.kind.name)
    command: CorrectResponse = sender.writing.to_correction(
        change.lexical.value if change.lexical else {},
        response_id=row.id,
        instrument=row.instrument,
        corrected_by=access.client,
        received=change.body,
    )
    if row.connection_id != access.connection_id:
        command = replace(command, received=None)  # the sender goes on reading its own bytes
    return correct_response(session, command, sender.endpoint.clock()).alert is not None
