"""Observation: a questionnaire's total with its band, and each answer where that is permitted.

The programme reads answers where they were given, in the response; only hospitals trend them.

A total that could not be computed has `dataAbsentReason` unknown: it would exist had every scored
item been answered, and whether the others were asked or declined nobody recorded. Which items
are missing is not said, since that is about answers.

https://hl7.org/fhir/R4/observation.html
"""

from collections.abc import Iterator

from fhir_mappings import labels, references
from fhir_mappings.codes import BANDS, LOINC, SURVEY, UCUM, UNKNOWN, US_CORE, Code
from fhir_mappings.datatypes import Element, codeable_concept, instant, present
from fhir_mappings.questionnaire import answer_coding
from fhir_mappings.visibility import may_have
from service.fhir.mapping import Draft, View
from service.instruments import Instrument, Item, instrument
from service.models.consents import Category
from service.models.facts import ResponseFacts
from service.models.screening import ResponseStatus

PROFILES = (f"{US_CORE}/us-core-observation-screening-assessment",)
STATUS = {
    ResponseStatus.IN_PROGRESS: "preliminary",
    ResponseStatus.COMPLETED: "final",
    ResponseStatus.AMENDED: "amended",
    ResponseStatus.ENTERED_IN_ERROR: "entered-in-error",
    ResponseStatus.STOPPED: "final",
}


def render_total(facts: ResponseFacts, view: View) -> Iterator[Draft]:
    if not may_have(facts, view, Category.SCORES):
        return
    form = instrument(facts.instrument, facts.instrument_version)
    code = Code(LOINC, form.total, form.total_display)
    resource = present({**_common(facts, view, form, code), **_value(facts, form)})
    source = references.source("response", facts.id)
    labelled = labels.total(form, part2=facts.part2)
    yield Draft("Observation", source, resource, labelled, PROFILES, facts.patient_id)


def render_answers(facts: ResponseFacts, view: View) -> Iterator[Draft]:
    if view.audience.is_programme or not may_have(facts, view, Category.ANSWERS):
        return
    form = instrument(facts.instrument, facts.instrument_version)
    for item in form.items:
        given = facts.answers.get(item.link_id)
        if given is not None:
            yield _answer(facts, view, form, item)


def _answer(facts: ResponseFacts, view: View, form: Instrument, item: Item) -> Draft:
    chosen = item.answer_scoring(facts.answers[item.link_id])
    value = {"coding": [answer_coding(chosen)], "text": chosen.display} if chosen else None
    common = _common(facts, view, form, Code(LOINC, item.code, item.text))
    common["code"] = {"coding": [{"system": LOINC, "code": item.code}], "text": item.text}
    return Draft(
        "Observation",
        f"{references.source('response', facts.id)}/{item.code}",
        present({**common, "valueCodeableConcept": value}),
        labels.answer(form, item.link_id, part2=facts.part2),
        PROFILES,
        facts.patient_id,
    )


def _common(facts: ResponseFacts, view: View, form: Instrument, code: Code) -> Element:
    response = references.source("response", facts.id)
    sources = [view.audience.reference("QuestionnaireResponse", response)]
    return {
        "status": STATUS[facts.status],
        "category": [codeable_concept(each) for each in _categories(form)],
        "code": codeable_concept(code),
        "subject": references.patient(view.audience, facts.patient_id),
        "effectiveDateTime": instant(facts.authored),
        "derivedFrom": sources if may_have(facts, view, Category.ANSWERS) else None,
    }


def _categories(form: Instrument) -> list[Code]:
    domain = form.us_core_category
    more = [Code(domain.system, domain.code, domain.display)] if domain else []
    return [SURVEY, *more]


def _value(facts: ResponseFacts, form: Instrument) -> Element:
    if facts.total is None:
        reason = codeable_concept(UNKNOWN, "Not totalled: not every scored item was answered")
        return {"dataAbsentReason": reason}
    band = form.band(facts.total)
    quantity = {"value": facts.total, "unit": "{score}", "system": UCUM, "code": "{score}"}
    return {
        "valueQuantity": quantity,
        "interpretation": [codeable_concept(BANDS[band.label])] if band else None,
    }
