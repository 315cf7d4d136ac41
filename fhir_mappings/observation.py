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
from fhir_mappings.visibility import labels_of, purposes
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
    labelled = labels.total(part2=facts.part2)
    if not (given := purposes(facts, view, Category.SCORES, labelled)):
        return
    form = instrument(facts.instrument, facts.instrument_version)
    code = Code(LOINC, form.total, form.total_display)
    resource = present({**_common(facts, view, form, code, given), **_value(facts, form)})
    source = references.source("response", facts.id)
    yield Draft(
        "Observation", source, resource, labelled, PROFILES, facts.patient_id, purposes=given
    )


def render_answers(facts: ResponseFacts, view: View) -> Iterator[Draft]:
    if view.audience.is_programme:
        return
    form = instrument(facts.instrument, facts.instrument_version)
    for item in form.items:
        labelled = labels.answer(form, item.link_id, part2=facts.part2)
        given = purposes(facts, view, Category.ANSWERS, labelled)
        if given and facts.answers.get(item.link_id) is not None:
            yield _answer(facts, view, form, item, given)


def _answer(facts: ResponseFacts, view: View, form: Instrument, item: Item, given: int) -> Draft:
    chosen = item.answer_scoring(facts.answers[item.link_id])
    value = {"coding": [answer_coding(chosen)], "text": chosen.display} if chosen else None
    common = _common(facts, view, form, Code(LOINC, item.code, item.text), given)
    common["code"] = {"coding": [{"system": LOINC, "code": item.code}], "text": item.text}
    return Draft(
        "Observation",
        f"{references.source('response', facts.id)}/{item.code}",
        present({**common, "valueCodeableConcept": value}),
        labels.answer(form, item.link_id, part2=facts.part2),
        PROFILES,
        facts.patient_id,
        purposes=given,
    )


def _common(facts: ResponseFacts, view: View, form: Instrument, code: Code, given: int) -> Element:
    """Return what totals and answers share; the response, where all may have it who have them."""
    whole = labels_of(facts, Category.ANSWERS)
    leads = not given & ~purposes(facts, view, Category.ANSWERS, whole)
    response = references.source("response", facts.id)
    sources = [view.audience.reference("QuestionnaireResponse", response)]
    return {
        "status": STATUS[facts.status],
        "category": [codeable_concept(each) for each in _categories(form)],
        "code": codeable_concept(code),
        "subject": references.patient(view.audience, facts.patient_id),
        "effectiveDateTime": instant(facts.authored),
        "derivedFrom": sources if leads else None,
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
