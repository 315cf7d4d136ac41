"""Who may have which document, decided from the rows again, in the plainest way.

It shares no code with what it judges. A document's Part 2 label says whether it is protected.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlmodel import Session as DbSession
from sqlmodel import select

from service.models.connections import Connection
from service.models.consents import Consent
from service.models.groups import Facilitator
from service.models.patients import Link
from service.models.screening import Alert, Response

PUBLIC, PROGRAMME = 0, 1
CATEGORY = {
    "EpisodeOfCare": "enrollment",
    "Group": "enrollment",
    "Appointment": "attendance",
    "Encounter": "attendance",
    "QuestionnaireResponse": "answers",
    "Flag": "alerts",
    "Task": "alerts",
    "Communication": "alerts",
    "ServiceRequest": "alerts",
}
CATEGORIES = ("enrollment", "attendance", "scores", "answers", "alerts", "summary")
TOTALS = {"44261-6", "70274-6"}  # of PHQ-9 and GAD-7, in LOINC
DOCUMENTS = "SELECT id, audience, type, content, deleted, source, patient_key FROM documents"
READABLE = "SELECT id, count(*) FROM document_versions WHERE NOT sealed GROUP BY id"


@dataclass(frozen=True)
class Document:
    id: str
    audience: int
    type: str
    content: dict[str, Any]
    source: str
    patient: UUID | None

    @property
    def name(self) -> str:
        return f"{self.type}/{self.id}"

    @property
    def part2(self) -> bool:
        return any(each["code"] == "42CFRPart2" for each in self.content["meta"]["security"])


@dataclass
class State:
    """The rows that decide, the documents, and how many old versions of each can be read."""

    now: datetime
    connections: dict[int, Connection]
    links: set[tuple[UUID, UUID]]
    consents: list[Consent]
    sent: dict[str, tuple[UUID, UUID]]
    live: list[Document] = field(default_factory=list)
    deleted: list[Document] = field(default_factory=list)
    readable: dict[str, int] = field(default_factory=dict)
    private_names: set[str] = field(default_factory=set)


def read_state(session: DbSession, now: datetime) -> State:
    responses = [("response", row) for row in session.exec(select(Response))]
    alerts = [("alert", row) for row in session.exec(select(Alert))]  # of what was sent, too
    links = session.exec(select(Link)).all()
    state = State(
        now=now,
        connections={row.number: row for row in session.exec(select(Connection))},
        links={(row.patient_id, row.connection_id) for row in links if row.undone_at is None},
        consents=list(session.exec(select(Consent))),
        sent={f"{kind}:{r.id.hex}": (r.patient_id, r.connection_id)
              for kind, r in (*responses, *alerts) if r.connection_id},
        private_names={r.family for r in session.exec(select(Facilitator)) if not r.name_is_public},
    )  # fmt: skip
    connection = session.connection()
    for row in connection.exec_driver_sql(DOCUMENTS):
        content = orjson.loads(row[3]) if row[3] else {}
        patient = UUID(row[6]) if row[6] else None
        document = Document(row[0], row[1], row[2], content, row[5], patient)
        (state.deleted if row[4] else state.live).append(document)
    state.readable = {row[0]: row[1] for row in connection.exec_driver_sql(READABLE)}
    return state


def in_force(row: Consent, now: datetime) -> bool:
    begun = row.start <= now and (row.end is None or now < row.end)
    return begun and row.withdrawn_at is None


def allows(state: State, patient: UUID, hospital: Connection, what: str, *, part2: bool) -> bool:
    """Tell whether this hospital may have this category of this person now."""
    if (patient, hospital.id) not in state.links:
        return False
    said = [
        row
        for row in state.consents
        if (row.patient_id, row.connection_id, row.category.value) == (patient, hospital.id, what)
    ]
    live = [row for row in said if in_force(row, state.now)]
    if any(row.decision.value == "deny" for row in live):
        return False
    if any(row.covers_part2 or not part2 for row in live):
        return True
    withdrawn = any(row.withdrawn_at and row.decision.value == "permit" for row in said)
    return (
        hospital.policy.value == "treatment" and not part2 and what != "answers" and not withdrawn
    )


def names_group(state: State, patient: UUID, hospital: Connection, *, part2: bool) -> bool:
    """Tell whether this hospital may learn which group this person is in."""
    return allows(state, patient, hospital, "enrollment", part2=part2) and any(
        row.shows_group_name and row.decision.value == "permit" and in_force(row, state.now)
        for row in state.consents
        if (row.patient_id, row.connection_id) == (patient, hospital.id)
        and row.category.value == "enrollment"
        and (row.covers_part2 or not part2)
    )


def any_of(state: State, patient: UUID, hospital: Connection) -> bool:
    """Tell whether this hospital may have anything, what it sent itself included."""
    sent = (patient, hospital.id) in state.sent.values()
    return (sent and (patient, hospital.id) in state.links) or given(state, patient, hospital)


def given(state: State, patient: UUID, hospital: Connection) -> bool:
    """Tell whether a consent or the policy gives this hospital anything."""
    return any(
        allows(state, patient, hospital, what, part2=part2)
        for what in CATEGORIES
        for part2 in (False, True)
    )


def is_permitted(state: State, document: Document, hospital: Connection) -> bool:
    patient = document.patient
    assert patient is not None
    if document.source.startswith("measurement:"):
        return False  # the programme's own
    sender = state.sent.get(document.source)
    if sender and document.type != "Patient":
        return sender == (patient, hospital.id) and (patient, hospital.id) in state.links
    if document.type in {"Patient", "Consent"}:
        return any_of(state, patient, hospital)
    what = CATEGORY.get(document.type) or _observed(document)
    return allows(state, patient, hospital, what, part2=document.part2)


def _observed(document: Document) -> str:
    (coding,) = document.content["code"]["coding"]
    return "scores" if coding["code"] in TOTALS else "answers"


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("reference"), str):
            yield node["reference"]
        for child in node.values():
            yield from references(child)
    elif isinstance(node, list):
        for child in node:
            yield from references(child)


def faults(state: State) -> Iterator[str]:
    """Yield a sentence for each document that somebody reads and should not, or cannot follow."""
    there = {(document.audience, document.name): document for document in state.live}
    patients = {
        (document.audience, document.name): document.patient
        for document in state.live
        if document.type == "Patient"
    }
    for document in state.live:
        for reference in references(document.content):
            if not {(document.audience, reference), (PUBLIC, reference)} & there.keys():
                yield f"{document.name} refers to {reference}, which its reader cannot read"
        if document.audience == PUBLIC:
            if document.patient or any(
                name in str(document.content) for name in state.private_names
            ):
                yield f"{document.name} is public and names a person"
        elif document.audience != PROGRAMME:
            hospital = state.connections[document.audience]
            yield from _of_hospital(state, document, hospital, patients)
    for document in state.deleted:
        yield from _unsealed(state, document)


def _of_hospital(
    state: State,
    document: Document,
    hospital: Connection,
    patients: dict[tuple[int, str], UUID | None],
) -> Iterator[str]:
    if document.type == "Group":
        for member in document.content["member"]:
            person = patients[document.audience, member["entity"]["reference"]]
            assert person is not None
            if not allows(state, person, hospital, "enrollment", part2=document.part2):
                yield f"{document.name} names somebody who did not agree"
    elif document.patient and not is_permitted(state, document, hospital):
        yield f"{document.name} is served to {hospital.name} without permission"
    elif document.type == "Patient" and _says_who(state, document, hospital):
        yield f"{document.name} tells {hospital.name} who it is, which sent something and no more"
    elif (
        document.patient
        and _tells_group(document)
        and not names_group(state, document.patient, hospital, part2=document.part2)
    ):
        yield f"{document.name} tells {hospital.name} which group it is without permission"


def _says_who(state: State, document: Document, hospital: Connection) -> bool:
    """Tell whether a hospital that only sent something reads the programme's demographics."""
    assert document.patient is not None
    if given(state, document.patient, hospital):
        return False
    return bool({"name", "telecom", "gender", "birthDate", "address"} & set(document.content))


def _tells_group(document: Document) -> bool:
    """The catalogue says where a group meets; who leads it is known."""
    telling = ("HealthcareService/", "PractitionerRole/", "Location/")
    return any(each.startswith(telling) for each in references(document.content))


def _unsealed(state: State, document: Document) -> Iterator[str]:
    """A document that is gone, of somebody of whom the hospital may now have nothing."""
    hospital = state.connections.get(document.audience)
    if hospital is None or document.patient is None or not state.readable.get(document.id):
        return
    if not any_of(state, document.patient, hospital):
        yield f"{document.name} is gone by consent, and its old versions are not sealed"
