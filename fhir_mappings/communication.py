"""Communication: the crisis resources that were shown, and each time that somebody was told.

A hospital reads of its own contacts and the programme's, never of another hospital's. Neither
names anybody, nor repeats the answer. https://hl7.org/fhir/R4/communication.html
"""

from collections.abc import Iterator
from datetime import datetime

from fhir_mappings import flag, labels, references
from fhir_mappings.datatypes import instant
from fhir_mappings.visibility import purposes
from service.fhir.mapping import Draft, View
from service.models.consents import Category
from service.models.facts import SafetyFacts

TOLD = "A contact was told that a safety alert needs follow-up"


def render(facts: SafetyFacts, view: View) -> Iterator[Draft]:
    if not purposes(facts, view, Category.ALERTS, labels.alert(part2=facts.part2)):
        return
    if facts.crisis_resources:
        text = f"Shown to whoever submitted or reported: {facts.crisis_resources}"
        yield _communication("resources", text, facts.raised_at, facts, view)
    for each in facts.tellings:
        known = each.connection_id in {None, view.audience.connection_id}
        if view.audience.is_programme or known:
            yield _communication(each.id.hex, TOLD, each.at, facts, view)


def _communication(part: str, text: str, at: datetime, facts: SafetyFacts, view: View) -> Draft:
    resource = {
        "status": "completed",
        "priority": facts.priority,
        "subject": references.patient(view.audience, facts.patient_id),
        "about": [flag.reference(facts, view)],
        "sent": instant(at),
        "sender": references.programme(view.audience),
        "payload": [{"contentString": text}],
    }
    source, labelled = references.source("alert", facts.id), labels.alert(part2=facts.part2)
    given = purposes(facts, view, Category.ALERTS, labelled)
    return Draft(
        "Communication",
        f"{source}/{part}",
        resource,
        labelled,
        patient_id=facts.patient_id,
        purposes=given,
    )
