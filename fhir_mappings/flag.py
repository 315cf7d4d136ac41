"""Flag: a safety rule of a questionnaire was met; it does not repeat the answer.

Its status follows the alert, which only a person closes: amending the response does not.

https://hl7.org/fhir/R4/flag.html
"""

from collections.abc import Iterator

from fhir_mappings import labels, references
from fhir_mappings.codes import FOLLOW_UP, SAFETY
from fhir_mappings.datatypes import Element, codeable_concept, period
from fhir_mappings.visibility import purposes
from service.fhir.mapping import Draft, View
from service.models.consents import Category
from service.models.facts import AlertFacts, ResponseFacts, SafetyFacts
from service.models.screening import AlertState

STATUS = {state: "inactive" if state is AlertState.RESOLVED else "active" for state in AlertState}


def render(facts: ResponseFacts, view: View) -> Iterator[Draft]:
    """Yield the Flag of a response that raised an alert."""
    if facts.alert is None:
        return
    source = references.source("response", facts.id)
    yield from _flag(source, facts, facts.alert, view)


def render_report(facts: SafetyFacts, view: View) -> Iterator[Draft]:
    """Yield the Flag of what somebody reported; of a response the response makes it."""
    if facts.response_id is None:
        yield from _flag(references.source("alert", facts.id), facts, facts, view)


def _flag(
    source: str, facts: ResponseFacts | SafetyFacts, alert: AlertFacts | SafetyFacts, view: View
) -> Iterator[Draft]:
    resource = {
        "status": STATUS[alert.state],
        "category": [codeable_concept(SAFETY)],
        "code": codeable_concept(FOLLOW_UP),
        "subject": references.patient(view.audience, facts.patient_id),
        "period": period(alert.raised_at),
        "author": references.programme(view.audience),
    }
    labelled = labels.alert(part2=facts.part2)
    given = purposes(facts, view, Category.ALERTS, labelled)
    if given:
        yield Draft("Flag", source, resource, labelled, patient_id=facts.patient_id, purposes=given)


def reference(facts: SafetyFacts, view: View) -> Element:
    """Refer to the Flag of an alert, whichever made it."""
    if facts.response_id is not None:
        return view.audience.reference("Flag", references.source("response", facts.response_id))
    return view.audience.reference("Flag", references.source("alert", facts.id))
