"""Opened audit rows turned into AuditEvents: one for each patient that a row is about.

https://profiles.ihe.net/ITI/BALP/StructureDefinition-IHE.BasicAudit.PatientQuery.html
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlmodel import Session

from fhir_mappings.audit_event import AuditFacts, render
from service.audit.people import SOURCE, shown_ids
from service.audit.reading import Opened
from service.fhir.mapping import Audience

ABSENT = 404


def events_of(
    session: Session, audience: Audience, rows: Sequence[Opened], base: str
) -> list[dict[str, Any]]:
    """Return the events of rows, whose patients the reader knows by the ids of its audience."""
    if not audience.is_programme:
        rows = [_as_answered(row) for row in rows]
    people = {each for row in rows for each in row.patients if each is not None}
    shown = shown_ids(session, audience.number, people)
    for each in people - set(shown):
        shown[each] = audience.id("Patient", f"{SOURCE}{each.hex}")
    return [event for row in rows for event in _events(row, shown, base)]


def _as_answered(row: Opened) -> Opened:
    """Return a row without what the answer did not tell: that what was not found is there."""
    told = row._replace(entry=row.entry._replace(decision=None))
    return told._replace(patients=()) if row.entry.status == ABSENT else told


def _events(row: Opened, shown: Mapping[UUID, str], base: str) -> list[dict[str, Any]]:
    if not row.patients:
        return [render(_facts(row, row.entry.request_id), base)]
    several = len(row.patients) > 1
    return [
        render(
            _facts(
                row,
                f"{row.entry.request_id}.{number}" if several else row.entry.request_id,
                patient=shown[patient] if patient is not None else None,
                about_somebody=True,
            ),
            base,
        )
        for number, patient in enumerate(row.patients)
    ]


def _facts(row: Opened, event_id: str, **about: Any) -> AuditFacts:  # noqa: ANN401 - fields
    entry = row.entry
    return AuditFacts(
        id=event_id,
        at=entry.at,
        request_id=entry.caller_id or entry.request_id,
        method=entry.method,
        route=entry.path,
        path=row.path,
        status=entry.status,
        query=row.query,
        client=entry.client,
        person=entry.person,
        address=entry.address,
        purpose=entry.purpose,
        decision=entry.decision,
        kind=entry.kind,
        closed=row.closed,
        **about,
    )
