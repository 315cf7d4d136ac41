"""Observation: a questionnaire's scores with their bands, and answers where that is permitted.

The programme reads answers where they were given, in the response; only hospitals trend them.

Where there are several scores, one more Observation has them and the answers as members.

A total that could not be computed has `dataAbsentReason` unknown: it would exist had every scored
item been answered, and whether the others were asked or declined nobody recorded. Which items
are missing is not said, since that is about answers.

https://hl7.org/fhir/R4/observation.html
"""

from collections.abc import Collection, Iterator
from decimal import Decimal

from fhir_mappings import labels, references
from fhir_mappings.codes import LOINC, SURVEY, UCUM, UNKNOWN, US_CORE, Code
from fhir_mappings.datatypes import Element, codeable_concept, instant, present
from fhir_mappings.instrument_codes import (
    answer_coding,
    band_code,
    item_code,
    panel_codings,
    score_code,
)
from fhir_mappings.visibility import may_have
from service.fhir.mapping import Draft, View
from service.instruments import (
    Band,
    Instrument,
    Item,
    MissingKind,
    Number,
    ScoreKind,
    ScoreRule,
    instrument,
)
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
    source, labelled = references.source("response", facts.id), labels.total(part2=facts.part2)
    values = {form.primary.id: facts.total, **(facts.scores or {})}
    for score in form.reported_scores:
        if score.id not in values:
            continue  # from before its instrument reported it
        own, value = source, values[score.id]
        if score is not form.primary:
            own = f"{source}/{score.id}"
        common = _common(facts, view, form, score_code(form, score))
        resource = present({**common, **_value(score, value), **_note(facts, form, score)})
        yield Draft("Observation", own, resource, labelled, PROFILES, facts.patient_id)
    if len(values) > 1:
        resource = present(_panel(facts, view, form, values))
        own = f"{source}/panel"
        yield Draft("Observation", own, resource, labelled, PROFILES, facts.patient_id)


def _panel(facts: ResponseFacts, view: View, form: Instrument, scores: Collection[str]) -> Element:
    """Group several scores with the answers that the reader has.

    Answers about safety are left out: who may not read them must not hear that they are there.
    """
    source = references.source("response", facts.id)
    members = [
        source if each is form.primary else f"{source}/{each.id}"
        for each in form.reported_scores
        if each.id in scores
    ]
    if not view.audience.is_programme and may_have(facts, view, Category.ANSWERS):
        safety = {rule.link_id for rule in form.safety}
        given = [item for item in form.items if facts.answers.get(item.link_id) is not None]
        members += [_source(facts, item) for item in given if item.link_id not in safety]
    code = {"coding": panel_codings(form), "text": form.name}
    found = [view.audience.reference("Observation", each) for each in members]
    return {**_common(facts, view, form, code), "hasMember": found}


def _source(facts: ResponseFacts, item: Item) -> str:
    return f"{references.source('response', facts.id)}/{item.code or item.link_id.lstrip('/')}"


def render_answers(facts: ResponseFacts, view: View) -> Iterator[Draft]:
    if view.audience.is_programme or not may_have(facts, view, Category.ANSWERS):
        return
    form = instrument(facts.instrument, facts.instrument_version)
    for item in form.items:
        given = facts.answers.get(item.link_id)
        if given is not None:
            yield _answer(facts, view, form, item)


def _answer(facts: ResponseFacts, view: View, form: Instrument, item: Item) -> Draft:
    chosen = item.chosen(facts.answers[item.link_id])
    value = None
    if chosen:
        coding = answer_coding(form, item, chosen)
        value = {"coding": [coding], "text": chosen.display or coding["display"]}
    common = _common(facts, view, form, item_code(form, item))
    return Draft(
        "Observation",
        _source(facts, item),
        present({**common, "valueCodeableConcept": value}),
        labels.answer(form, item.link_id, part2=facts.part2),
        PROFILES,
        facts.patient_id,
    )


def _common(facts: ResponseFacts, view: View, form: Instrument, code: Element) -> Element:
    response = references.source("response", facts.id)
    sources = [view.audience.reference("QuestionnaireResponse", response)]
    return {
        "status": STATUS[facts.status],
        "category": [codeable_concept(each) for each in _categories(form)],
        "code": code,
        "subject": references.patient(view.audience, facts.patient_id),
        "effectiveDateTime": instant(facts.authored),
        "derivedFrom": sources if may_have(facts, view, Category.ANSWERS) else None,
    }


def _categories(form: Instrument) -> list[Code]:
    domain = form.us_core_category
    more = [Code(domain.system, domain.code, domain.display)] if domain else []
    return [SURVEY, *more]


def _value(score: ScoreRule, value: float | None) -> Element:
    if value is None:
        reason = "Not totalled: not every scored item was answered"
        return {"dataAbsentReason": codeable_concept(UNKNOWN, reason)}
    exact = Decimal(str(value))
    if score.kind is ScoreKind.CATEGORY:
        return {"valueCodeableConcept": _outcome(score, exact)}
    band = score.band(exact)
    quantity = {"value": value, "unit": "{score}", "system": UCUM, "code": "{score}"}
    return {
        "valueQuantity": quantity,
        "interpretation": [codeable_concept(band_code(band))] if band else None,
    }


def _outcome(score: ScoreRule, rank: Number) -> Element:
    """Return a decision tree's outcome, by LOINC's code for it too where there is one."""
    (found,) = [each for each in score.categories if each.rank == rank]
    own = codeable_concept(band_code(Band(minimum=rank, maximum=rank, label=found.label)))
    if found.code is not None:
        own["coding"].insert(0, {"system": LOINC, "code": found.code})
    return own


def _note(facts: ResponseFacts, form: Instrument, score: ScoreRule) -> Element:
    """Say how a score was made where that is not by every item; which item it is, is not said."""
    said = []
    if score.missing.kind is MissingKind.PRORATE and set(facts.missing) & set(score.link_ids):
        said.append("Prorated: the mean of the items answered stands for those that were not")
    if any(_counts_nothing(form.by_link_id[each], facts) for each in score.link_ids):
        said.append("An item was answered as not applicable, and counts nothing")
    return {"note": [{"text": text} for text in said]}


def _counts_nothing(item: Item, facts: ResponseFacts) -> bool:
    value = facts.answers.get(item.link_id)
    chosen = None if value is None else item.chosen(value)
    return chosen is not None and chosen.score is None
