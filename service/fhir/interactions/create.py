"""FHIR create interaction, of a QuestionnaireResponse: scored on arrival.

https://hl7.org/fhir/R4/http.html#create
"""

from uuid import UUID

import orjson
from sqlmodel import Session as DbSession

from service.access import Access
from service.fhir.endpoint import Answer, Endpoint, Writing
from service.fhir.identity import audience_id
from service.fhir.lexical import Lexical
from service.fhir.submission import (
    Written,
    crisis,
    patient_lock,
    read_resource,
    recorded,
    subject_key,
    writable,
    written,
)
from service.screening import Recorded, record_response


def create(
    endpoint: Endpoint,
    writing: Writing,
    access: Access,
    name: str,
    *,
    body: bytes,
    prefer: str = "representation",
) -> Answer:
    """Record what was sent; the answer is the document, or a warning where a safety rule fired."""
    writable(endpoint, access, name, "c")
    lexical = read_resource(writing, name, body)
    done = _record(endpoint, writing, access, lexical, body=body)
    document_id = audience_id(endpoint.key, access, name, f"response:{done.response.id.hex}")
    now = endpoint.database.read(lambda session: written(session, access, name, document_id))
    said = crisis(writing.crisis_text) if done.alert else None
    return answer(endpoint, 201, f"{name}/{document_id}", now, said=said, prefer=prefer)


def _record(
    endpoint: Endpoint, writing: Writing, access: Access, lexical: Lexical, *, body: bytes
) -> Recorded:
    def patient_of(session: DbSession) -> str:
        return subject_key(session, endpoint, access, lexical)

    patient = endpoint.database.read(patient_of)
    command = writing.to_command(
        lexical.value,
        patient_id=UUID(patient),
        connection_id=access.connection_id,
        received=body,
        now=endpoint.clock(),
    )

    def record(session: DbSession) -> Recorded:
        patient_of(session)  # again, under the lock: the link may have been undone meanwhile
        return record_response(session, command, endpoint.clock())

    return endpoint.database.unit_of_work(record, patient_lock(patient))


def answer(
    endpoint: Endpoint,
    status: int,
    reference: str,
    now: Written | None,
    *,
    said: dict[str, object] | None,
    prefer: str,
) -> Answer:
    """Return what a write answers; `said` is a warning that comes whatever was preferred."""
    version = now.version if now else 1
    if said is None and prefer == "OperationOutcome":
        said = recorded(f"recorded as version {version}")
    content = now.content if now and prefer != "minimal" else b""
    return Answer(
        status,
        content if said is None else orjson.dumps(_about(reference, said)),
        version,
        now.last_updated if now else 0,
        location=f"{endpoint.base}/{reference}/_history/{version}",
        patients=(now.patient_key,) if now and now.patient_key else (),
    )


def _about(reference: str, said: dict[str, object]) -> dict[str, object]:
    """Give the outcome the id of what it is about: clients that skip Location look there."""
    return {"resourceType": said["resourceType"], "id": reference.rpartition("/")[2], **said}
