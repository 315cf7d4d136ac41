"""Appointment: one person's place at one session, and what became of it.

Its only person is the patient. Why a session was cancelled is free text that may speak of
somebody else, so only the programme reads it.

https://hl7.org/fhir/R4/appointment.html
"""

from collections.abc import Iterator

from fhir_mappings import labels, references, visits
from fhir_mappings.codes import CANCELLED_BY_PATIENT, CANCELLED_BY_PROVIDER, GROUP_SESSION
from fhir_mappings.datatypes import Element, codeable_concept, instant, present
from service.fhir.mapping import Draft, View
from service.models.enrollments import AttendanceMark
from service.models.facts import VisitFacts
from service.models.groups import SessionStatus

STATUS = {
    None: "booked",
    AttendanceMark.PRESENT: "fulfilled",
    AttendanceMark.LATE: "fulfilled",
    AttendanceMark.ABSENT: "noshow",
    AttendanceMark.EXCUSED: "cancelled",
}


def render(facts: VisitFacts, view: View) -> Iterator[Draft]:
    if not (purposes := visits.purposes(facts, view)):
        return
    resource = present(
        {
            "identifier": [visits.session_identifier(facts, view)],
            "status": status(facts),
            "cancelationReason": _reason(facts, view),
            "serviceType": [codeable_concept(GROUP_SESSION)],
            "start": instant(facts.start),
            "end": instant(facts.end),
            "participant": list(_participants(facts, view)),
        }
    )
    source, labelled = visits.source(facts), labels.membership(facts.group)
    yield Draft(
        "Appointment",
        source,
        resource,
        labelled,
        patient_id=facts.patient_id,
        purposes=purposes,
    )


def status(facts: VisitFacts) -> str:
    """Without a mark a place stays booked, after the session too: nobody said who came."""
    return "cancelled" if facts.status is SessionStatus.CANCELLED else STATUS[facts.mark]


def _reason(facts: VisitFacts, view: View) -> Element | None:
    if facts.status is SessionStatus.CANCELLED:
        text = facts.cancel_reason if view.audience.is_programme else None
        return codeable_concept(CANCELLED_BY_PROVIDER, (text or "").strip())
    if facts.mark is AttendanceMark.EXCUSED:
        return codeable_concept(CANCELLED_BY_PATIENT)
    return None


def _participants(facts: VisitFacts, view: View) -> Iterator[Element]:
    patient = references.patient(view.audience, facts.patient_id)
    for actor in (patient, visits.leader(facts, view), visits.place(facts, view)):
        if actor:
            yield {"actor": actor, "status": "accepted"}
