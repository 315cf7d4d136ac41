"""Group: one hospital's part of a group's roster, under the group's neutral name.

It holds no quantity, and is never part of a compartment, an include or an export. It is for
treatment alone: whom it lists may have permitted each another purpose, and it is one document.

https://hl7.org/fhir/R4/group.html
"""

from collections.abc import Iterator

from fhir_mappings import labels, references
from fhir_mappings.datatypes import Element, period
from service.fhir.mapping import Audience, Draft, View
from service.models.facts import MemberFacts, RosterFacts


def render(facts: RosterFacts, view: View) -> Iterator[Draft]:
    if not facts.members:
        return
    resource = {
        "active": True,
        "type": "person",
        "actual": True,
        "name": facts.group.neutral_name.strip(),
        "managingEntity": references.programme(view.audience),
        "member": [_member(member, view.audience) for member in facts.members],
    }
    source = references.source("roster", facts.group.id)
    yield Draft("Group", source, resource, labels.membership(facts.group))


def _member(facts: MemberFacts, audience: Audience) -> Element:
    """`inactive` would say that somebody left: a member on hold has not."""
    entity = references.patient(audience, facts.patient_id)
    return {"entity": entity, "period": period(facts.start)}
