"""EpisodeOfCare: one person's membership of a group, from proposal to end.

Which group is said by an extension of ours: the hospital's roster while the person is on it, and
the catalogue entry where a consent shows the group's name.

https://hl7.org/fhir/R4/episodeofcare.html
"""

from collections.abc import Iterator

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
    EnrollmentStatus.ACTIVE: "active",
    EnrollmentStatus.ON_HOLD: "onhold",
    EnrollmentStatus.FINISHED: "finished",
}
ON_ROSTER = {EnrollmentStatus.ACTIVE, EnrollmentStatus.ON_HOLD}


def render(facts: EnrollmentFacts, view: View) -> Iterator[Draft]:
    if not view.disclosure.permits(Category.ENROLLMENT, part2=facts.group.part2):
        return
    resource = present(
        {
            "extension": [
                {"url": SUPPORT_GROUP, "valueReference": r} for r in _groups(facts, view)
            ],
            "status": STATUS[facts.status],
            "statusHistory": [
                {"status": STATUS[one.status], "period": period(one.start, one.end)}
                for one in facts.history
            ],
            "type": [codeable_concept(PARTICIPATION)],
            "patient": references.patient(view.audience, facts.patient_id),
            "managingOrganization": references.programme(view.audience),
            "period": period(facts.start, facts.end),
        }
    )
    source = references.source("enrollment", facts.id)
    labelled = labels.membership(facts.group)
    yield Draft("EpisodeOfCare", source, resource, labelled, patient_id=facts.patient_id)


def _groups(facts: EnrollmentFacts, view: View) -> Iterator[Element]:
    audience, group = view.audience, facts.group
    if facts.status in ON_ROSTER:
        yield audience.reference("Group", references.source("roster", group.id))
    named = view.disclosure.names_group(part2=group.part2)
    if named and group.status is not GroupStatus.DRAFT:
        entry = references.source("group", group.id)
        yield audience.public.reference("HealthcareService", entry)
