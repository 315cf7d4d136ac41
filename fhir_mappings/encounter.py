"""Encounter: one person's attendance of one session; there is none for who did not come.

The type is a code of ours: CPT 90853 is a billing code for psychotherapy, which a support group
is not.

https://hl7.org/fhir/R4/encounter.html
"""

from collections.abc import Iterator

from fhir_mappings import labels, references, visits
from fhir_mappings.codes import AMBULATORY, ATTENDANCE, GROUP_SESSION, US_CORE, VIRTUAL
from fhir_mappings.datatypes import Element, codeable_concept, coding, period, present
from service.fhir.mapping import Draft, View
from service.models.consents import Category
from service.models.enrollments import AttendanceMark
from service.models.facts import VisitFacts
from service.models.groups import Modality, SessionStatus

PROFILES = (f"{US_CORE}/us-core-encounter",)
CLASS = {Modality.IN_PERSON: AMBULATORY, Modality.VIRTUAL: VIRTUAL}
CAME = {AttendanceMark.PRESENT, AttendanceMark.LATE}


def render(facts: VisitFacts, view: View) -> Iterator[Draft]:
    happened = facts.status is not SessionStatus.CANCELLED and facts.mark in CAME
    purposes = visits.purposes(facts, view)
    if not happened or not purposes:
        return
    leader, place = visits.leader(facts, view), visits.place(facts, view)
    source = visits.source(facts)
    resource = present(
        {
            # Late without a time of arrival would read as present without it.
            "extension": [{"url": ATTENDANCE, "valueCode": facts.mark}],
            "identifier": [visits.session_identifier(facts, view)],
            "status": "finished",
            "class": coding(CLASS[facts.group.modality]),
            "type": [codeable_concept(GROUP_SESSION)],
            "subject": references.patient(view.audience, facts.patient_id),
            "episodeOfCare": _episodes(facts, view, purposes),
            "participant": [{"individual": leader}] if leader else None,
            "appointment": [view.audience.reference("Appointment", source)],
            "period": _period(facts),
            "location": [{"location": place}] if place else None,
            "serviceProvider": references.programme(view.audience),
        }
    )
    labelled = labels.membership(facts.group)
    yield Draft(
        "Encounter", source, resource, labelled, PROFILES, facts.patient_id, purposes=purposes
    )


def _episodes(facts: VisitFacts, view: View, purposes: int) -> list[Element]:
    """Return the enrolment, where it may be had for every purpose that the visit may."""
    if purposes & ~view.purposes(Category.ENROLLMENT, labels.membership(facts.group)):
        return []
    source = references.source("enrollment", facts.enrollment_id)
    return [view.audience.reference("EpisodeOfCare", source)]


def _period(facts: VisitFacts) -> Element:
    """Who came late was there from then on; never from after the end."""
    late = facts.mark is AttendanceMark.LATE and facts.arrived_at is not None
    start = facts.arrived_at if late and facts.arrived_at else facts.start
    return period(min(start, facts.end), facts.end)
