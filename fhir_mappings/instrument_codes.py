"""Codes of questionnaires: LOINC's where one was found, else ours, so that none is invented.

https://hl7.org/fhir/R4/questionnaire-definitions.html
"""

import re
from collections.abc import Iterator

from fhir_mappings.codes import LOCAL, LOINC, Code
from fhir_mappings.datatypes import Element, present
from service.instruments import Answer, Band, Instrument, Item, ScoreRule, all_versions

INSTRUMENT = f"{LOCAL}/instrument"
ANSWER = f"{LOCAL}/instrument-answer"
BAND = f"{LOCAL}/severity-band"


def band_code(band: Band) -> Code:
    """Return our code of a band, which is its label in lower case with hyphens."""
    return Code(BAND, re.sub(r"[^a-z0-9]+", "-", band.label.lower()).strip("-"), band.label)


def answer_coding(form: Instrument, item: Item, answer: Answer) -> Element:
    if answer.code is not None:
        return present({"system": LOINC, "code": answer.code, "display": answer.display})
    return {"system": ANSWER, **_shown(_answer(form, item, answer))}


def answer_value(form: Instrument, item: Item, code: str) -> int | None:
    """Return the value of an answer that is named by our code."""
    own = (each for each in item.answers if each.code is None)
    return next((a.value for a in own if _answer(form, item, a).code == code), None)


def item_code(form: Instrument, item: Item) -> Element:
    """Return the concept that an item asks about."""
    coding = {"system": LOINC, "code": item.code}
    if item.code is None:
        coding = {"system": INSTRUMENT, **_shown(_item(form, item))}
    return {"coding": [coding], "text": item.text or item.label}


def score_code(form: Instrument, score: ScoreRule) -> Element:
    """Return the concept that a score is a value of."""
    coding = {"system": LOINC, "code": score.code, "display": score.loinc_display}
    if score.code is None:
        coding = {"system": INSTRUMENT, **_shown(_score(form, score))}
    return {"coding": [present(coding)], "text": score.display}


def panel_codings(form: Instrument) -> list[Element]:
    if form.panel is None:
        return [{"system": INSTRUMENT, **_shown(Code(INSTRUMENT, form.id, form.name))}]
    return [present({"system": LOINC, "code": form.panel, "display": form.panel_display})]


def own_codes() -> Iterator[Code]:
    """Yield our code for everything that has none of LOINC's, and for every band."""
    for form in all_versions():
        yield from _codes_of(form)
        for score in form.scores:
            yield from (band_code(band) for band in score.bands)
            for each in score.categories:
                yield band_code(Band(minimum=each.rank, maximum=each.rank, label=each.label))


def _codes_of(form: Instrument) -> Iterator[Code]:
    if form.panel is None:
        yield Code(INSTRUMENT, form.id, form.name)
    for item in form.items:
        if item.code is None:
            yield _item(form, item)
        yield from (_answer(form, item, each) for each in item.answers if each.code is None)
    yield from (_score(form, each) for each in form.reported_scores if each.code is None)


def _shown(code: Code) -> Element:
    return {"code": code.code, "display": code.display}


def _answer(form: Instrument, item: Item, answer: Answer) -> Code:
    display = answer.display or str(answer.value)
    return Code(ANSWER, f"{form.id}.{item.answer_list}.{answer.value}", display)


def _item(form: Instrument, item: Item) -> Code:
    return Code(INSTRUMENT, item.link_id.lstrip("/"), f"{form.name}: {item.label}")


def _score(form: Instrument, score: ScoreRule) -> Code:
    return Code(INSTRUMENT, f"{form.id}/{score.id}", score.display)
