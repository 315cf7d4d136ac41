"""Flag: a safety rule of a questionnaire was met; it does not repeat the answer.

Its status follows the alert, which only a person closes: amending the response does not.

https://hl7.org/fhir/R4/flag.html
"""

from collections.abc import Iterator

from fhir_mappings import labels, references
from fhir_mappings.codes import FOLLOW_UP, SAFETY
from fhir_mappings.datatypes import codeable_concept, period
from fhir_mappings.visibility import may_have
from service.fhir.mapping import Draft, View
from service.models.consents import Category
from service.models.facts import ResponseFacts
from service.models.screening import AlertState

STATUS = {state: "inactive" if state is AlertState.RESOLVED else "active" for state in AlertState}


def render(facts: ResponseFacts, view: View) -> Iterator[Draft]:
    if facts.alert is None or not may_have(facts, view, Category.ALERTS):
        return
    resource = {
        "status": STATUS[facts.alert.state],
        "category": [codeable_concept(SAFETY)],
        "code": codeable_concept(FOLLOW_UP),
        "subject": references.patient(view.audience, facts.patient_id),
        "period": period(facts.alert.raised_at),
        "author": references.programme(view.audience),
    }
    source, labelled = references.source("response", facts.id), labels.alert(part2=facts.part2)
    yield Draft("Flag", source, resource, labelled, patient_id=facts.patient_id)
