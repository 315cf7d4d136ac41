"""EpisodeOfCare: one person's membership of a group, from proposal to end.

An offer of a seat is part of the wait: when a seat becomes free is known to depend on others.

Which group is said by an extension of ours: the hospital's roster while the person is on it, and
the catalogue entry where a consent shows the group's name.

https://hl7.org/fhir/R4/episodeofcare.html
"""

from collections.abc import Iterator
from itertools import groupby

from fhir_mappings import labels, references
from fhir_mappings.codes import PARTICIPATION, SUPPORT_GROUP
from fhir_mappings.datatypes import Element, codeable_concept, period, present
from service.fhir.mapping import Draft, View
from service.models.consents import Category
from service.models.enrollments import EnrollmentStatus
from service.models.facts import EnrollmentFacts
from service.models.groups import GroupStatus

STATUS = {
    EnrollmentStatus.PROPOSED: "planned",
    EnrollmentStatus.WAITLISTED: "waitlist",
    EnrollmentStatus.OFFERED: "waitlist",
    EnrollmentStatus.ACTIVE: "active",
    EnrollmentStatus.ON_HOLD: "onhold",
    EnrollmentStatus.FINISHED: "finished",
}
ON_ROSTER = {EnrollmentStatus.ACTIVE, EnrollmentStatus.ON_HOLD}


def render(facts: EnrollmentFacts, view: View) -> Iterator[Draft]:
    labelled = labels.membership(facts.group)
    if not (purposes := view.purposes(Category.ENROLLMENT, labelled)):
        return
    resource = present(
        {
            "extension": [
                {"url": SUPPORT_GROUP, "valueReference": r} for r in _groups(facts, view, purposes)
            ],
            "status": STATUS[facts.status],
            "statusHistory": list(_history(facts)),
            "type": [codeable_concept(PARTICIPATION)],
            "patient": references.patient(view.audience, facts.patient_id),
            "managingOrganization": references.programme(view.audience),
            "period": period(facts.start, facts.end),
        }
    )
    source = references.source("enrollment", facts.id)
    yield Draft(
        "EpisodeOfCare",
        source,
        resource,
        labelled,
        patient_id=facts.patient_id,
        purposes=purposes,
    )


def _history(facts: EnrollmentFacts) -> Iterator[Element]:
    """Yield each status with its period; what follows itself is one."""
    for status, run in groupby(facts.history, key=lambda one: STATUS[one.status]):
        first, *more = run
        end = more[-1].end if more else first.end
        yield {"status": status, "period": period(first.start, end)}


def _groups(facts: EnrollmentFacts, view: View, purposes: int) -> Iterator[Element]:
    audience, group = view.audience, facts.group
    if facts.status in ON_ROSTER:
        yield audience.reference("Group", references.source("roster", group.id))
    named = view.names_group(labels.membership(group), purposes)
    if named and group.status is not GroupStatus.DRAFT:
        entry = references.source("group", group.id)
        yield audience.public.reference("HealthcareService", entry)
