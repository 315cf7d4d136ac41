"""Task: what the programme asks of whoever may read an alert; it follows the alert's state.

It is the programme's own: a hospital reads it, and takes an alert up by telling the programme.

https://hl7.org/fhir/R4/task.html
"""

from collections.abc import Iterator

from fhir_mappings import flag, labels, references
from fhir_mappings.codes import FOLLOW_UP
from fhir_mappings.datatypes import Element, codeable_concept, instant
from fhir_mappings.visibility import purposes
from service.fhir.mapping import Draft, View
from service.models.consents import Category
from service.models.facts import SafetyFacts
from service.models.screening import AlertState

STATUS = {
    AlertState.OPEN: "requested",
    AlertState.NOTIFIED: "requested",
    AlertState.ESCALATED: "requested",
    AlertState.ACKNOWLEDGED: "accepted",
    AlertState.RESOLVED: "completed",
}
STEP_UP = "Please see this person: a safety rule of the highest tier was met in the group programme"


def render(facts: SafetyFacts, view: View) -> Iterator[Draft]:
    """Yield the Task to follow an alert up, and that of the step up where there was one."""
    labelled = labels.alert(part2=facts.part2)
    if not (given := purposes(facts, view, Category.ALERTS, labelled)):
        return
    source = references.source("alert", facts.id)
    follow_up = {
        "code": codeable_concept(FOLLOW_UP),
        "focus": flag.reference(facts, view),
    }
    yield _task(source, facts, view, follow_up, given)
    if facts.stepped_up_at is not None:
        request = view.audience.reference("ServiceRequest", source)
        step_up = {"code": {"text": STEP_UP}, "focus": request, "basedOn": [request]}
        yield _task(f"{source}/step-up", facts, view, step_up, given)


def _task(source: str, facts: SafetyFacts, view: View, more: Element, given: int) -> Draft:
    resource = {
        "status": STATUS[facts.state],
        "intent": "order",
        "priority": facts.priority,
        "for": references.patient(view.audience, facts.patient_id),
        "authoredOn": instant(facts.raised_at),
        "requester": references.programme(view.audience),
        **more,
    }
    labelled = labels.alert(part2=facts.part2)
    return Draft("Task", source, resource, labelled, patient_id=facts.patient_id, purposes=given)
