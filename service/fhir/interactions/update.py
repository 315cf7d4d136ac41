"""FHIR update interaction, of a QuestionnaireResponse, by who sent it or by the programme.

https://hl7.org/fhir/R4/http.html#update
"""

from dataclasses import replace
from uuid import UUID

from sqlmodel import Session as DbSession

from service.access import Access
from service.commands import CorrectResponse
from service.errors import InvalidError, VersionError
from service.fhir.endpoint import Answer, Endpoint, Writing, absent
from service.fhir.interactions.create import answer
from service.fhir.lexical import Lexical
from service.fhir.submission import (
    Written,
    crisis,
    owned_by_programme,
    patient_lock,
    read_resource,
    subject_key,
    writable,
    written,
)
from service.models.aggregates import Aggregate, group_aggregate
from service.models.screening import Response
from service.rows import get
from service.screening import Recorded, correct_response


def update(  # noqa: PLR0913 - a request is all of this
    endpoint: Endpoint,
    writing: Writing,
    access: Access,
    address: tuple[str, str],
    *,
    body: bytes,
    if_match: frozenset[str] | None = None,
    prefer: str = "representation",
) -> Answer:
    """Correct what was recorded; `if_match` holds the versions the caller has seen."""
    name, document_id = address
    writable(endpoint, access, name, "u")
    row = endpoint.database.read(lambda session: _response(session, access, address))
    lexical = read_resource(writing, name, body)
    if lexical.value.get("id") != document_id:
        raise InvalidError("must be the id of the address", element=f"{name}.id")
    command = _command(writing, access, row, lexical, body=body)

    def correct(session: DbSession) -> Recorded:
        now = _current(session, access, address)
        _require_version(now, if_match)
        if subject_key(session, endpoint, access, lexical) != now.patient_key:
            raise InvalidError("must stay the same patient", element=f"{name}.subject")
        return correct_response(session, command, endpoint.clock())

    done = endpoint.database.unit_of_work(correct, *_locks(row))
    now = endpoint.database.read(lambda session: written(session, access, name, document_id))
    said = crisis(writing.crisis_text) if done.alert else None
    return answer(endpoint, 200, f"{name}/{document_id}", now, said=said, prefer=prefer)


def _command(
    writing: Writing, access: Access, row: Response, lexical: Lexical, *, body: bytes
) -> CorrectResponse:
    command: CorrectResponse = writing.to_correction(
        lexical.value,
        response_id=row.id,
        instrument=row.instrument,
        corrected_by=access.client,
        received=body,
    )
    if row.connection_id != access.connection_id:
        return replace(command, received=None)  # the sender goes on reading its own bytes
    return command


def _current(session: DbSession, access: Access, address: tuple[str, str]) -> Written:
    name, document_id = address
    found = written(session, access, name, document_id) if document_id.isalnum() else None
    if found is None:
        raise absent(name)
    return found


def _response(session: DbSession, access: Access, address: tuple[str, str]) -> Response:
    """Return the response, if the caller may change it.

    To any hospital but the sender the owner is the programme: that another one sent it would
    tell of a person's other hospital.
    """
    document = _current(session, access, address)
    row = get(session, Response, UUID(document.source.removeprefix("response:")))
    if not access.is_programme and row.connection_id != access.connection_id:
        raise owned_by_programme(address[0])
    return row


def _locks(row: Response) -> list[Aggregate]:
    group = [group_aggregate(row.group_id)] if row.group_id else []
    return [patient_lock(row.patient_id.hex), *group]


def _require_version(document: Written, if_match: frozenset[str] | None) -> None:
    if if_match is not None and not if_match & {"*", str(document.version)}:
        raise VersionError(f"the current version is {document.version}", element="If-Match")
