"""ServiceRequest: a step up, by which the programme asks a hospital to see its patient.

It proposes and orders nothing: whether to treat is the hospital's decision. It does not repeat
the answer.

https://hl7.org/fhir/R4/servicerequest.html
"""

from collections.abc import Iterator

from fhir_mappings import flag, labels, references
from fhir_mappings.datatypes import instant
from fhir_mappings.task import STEP_UP
from fhir_mappings.visibility import purposes
from service.fhir.mapping import Draft, View
from service.models.consents import Category
from service.models.facts import SafetyFacts
from service.models.screening import AlertState


def render(facts: SafetyFacts, view: View) -> Iterator[Draft]:
    labelled = labels.alert(part2=facts.part2)
    given = purposes(facts, view, Category.ALERTS, labelled)
    if facts.stepped_up_at is None or not given:
        return
    resource = {
        "status": "completed" if facts.state is AlertState.RESOLVED else "active",
        "intent": "proposal",
        "priority": facts.priority,
        "code": {"text": STEP_UP},
        "subject": references.patient(view.audience, facts.patient_id),
        "authoredOn": instant(facts.stepped_up_at),
        "requester": references.programme(view.audience),
        "supportingInfo": [flag.reference(facts, view)],
    }
    source = references.source("alert", facts.id)
    yield Draft(
        "ServiceRequest", source, resource, labelled, patient_id=facts.patient_id, purposes=given
    )
