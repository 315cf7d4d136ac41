"""Task: a questionnaire is due for somebody, as SDC asks for one to be completed.

For the programme alone (ADR 0047). It says until when it is due; that it is late is for its reader
to see.

http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-task
"""

from collections.abc import Iterator

from fhir_mappings import labels, references
from fhir_mappings.codes import COMPLETE_QUESTIONNAIRE, QUESTIONNAIRE, QUESTIONNAIRE_RESPONSE
from fhir_mappings.datatypes import Element, codeable_concept, instant, period, present
from service.fhir.mapping import Draft, View
from service.instruments import instrument
from service.models.facts import MeasurementFacts, OccasionFacts
from service.models.measurement import OccasionState
from service.models.purposes import EVERY_PURPOSE

STATUS = {
    OccasionState.DUE: "requested",
    OccasionState.OVERDUE: "requested",
    OccasionState.ANSWERED: "completed",
    OccasionState.MISSED: "cancelled",
    OccasionState.CANCELLED: "cancelled",
}
REASON = {
    OccasionState.MISSED: "It was not answered before it was due again",
    OccasionState.CANCELLED: "The person left the group before it was answered",
}


def render(facts: MeasurementFacts, view: View) -> Iterator[Draft]:
    """Yield a Task for each occasion that has begun, to the programme."""
    if not view.audience.is_programme:
        return
    for occasion in facts.occasions:
        form = instrument(occasion.instrument)
        source = references.source("measurement", facts.id)
        yield Draft(
            "Task",
            f"{source}/{occasion.instrument}/{occasion.number}",
            _task(facts, occasion, view),
            labels.measurement(facts.group, form),
            patient_id=facts.patient_id,
            purposes=EVERY_PURPOSE,
        )


def _task(facts: MeasurementFacts, occasion: OccasionFacts, view: View) -> Element:
    person = references.patient(view.audience, facts.patient_id)
    form = instrument(occasion.instrument)
    reason = REASON.get(occasion.state)
    return present(
        {
            "status": STATUS[occasion.state],
            "statusReason": {"text": reason} if reason else None,
            "intent": "order",
            "code": codeable_concept(COMPLETE_QUESTIONNAIRE),
            "description": form.name,
            "for": person,
            "authoredOn": instant(occasion.begins),
            "requester": references.programme(view.audience),
            "owner": person,
            "restriction": {"period": period(occasion.begins, occasion.overdue_from)},
            # Whichever version is the newest by then: it has no version itself.
            "input": [{"type": codeable_concept(QUESTIONNAIRE), "valueCanonical": form.url}],
            "output": _output(occasion, view),
        }
    )


def _output(occasion: OccasionFacts, view: View) -> list[Element]:
    if occasion.response_id is None:
        return []
    source = references.source("response", occasion.response_id)
    response = view.audience.reference("QuestionnaireResponse", source)
    return [{"type": codeable_concept(QUESTIONNAIRE_RESPONSE), "valueReference": response}]
