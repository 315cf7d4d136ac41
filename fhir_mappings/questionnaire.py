"""Questionnaire: a published version of an instrument, from its definition.

https://hl7.org/fhir/R4/questionnaire.html
"""

import re
from collections.abc import Iterator

from fhir_mappings import labels, references
from fhir_mappings.codes import ORDINAL_VALUE
from fhir_mappings.datatypes import Element, present
from fhir_mappings.instrument_codes import answer_coding, item_code, panel_codings
from service.fhir.mapping import Draft, View
from service.instruments import Answer, Condition, Instrument, Item, instrument
from service.models.facts import InstrumentFacts

STEM = "stem"
PUBLISHER = "Alongside"


def render(facts: InstrumentFacts, _view: View) -> Iterator[Draft]:
    form = instrument(facts.name, facts.version)
    stem = [{"linkId": STEM, "text": form.stem, "type": "display"}] if form.stem else []
    resource = {
        "url": form.url,
        "version": form.version,
        "name": _name(form),
        "title": form.name,
        "derivedFrom": list(form.other_canonicals),
        "status": "active" if form.text_ships else "draft",
        "subjectType": ["Patient"],
        "publisher": PUBLISHER,
        "description": " ".join(form.gaps),
        "copyright": _copyright(form),
        "code": panel_codings(form),
        "item": [*stem, *(_item(form, item) for item in form.items)],
    }
    source = references.source("instrument", facts.id)
    yield Draft("Questionnaire", source, present(resource), labels.PUBLIC)


def _name(form: Instrument) -> str:
    """Return its name as software can use it: letters and digits, a letter first."""
    plain = re.sub(r"[^A-Za-z0-9]", "", form.name)
    return plain if plain[:1].isalpha() else f"Q{plain}"


def _item(form: Instrument, item: Item) -> Element:
    """Render a question; an item without words was not found, or may not be shown."""
    return present(
        {
            "linkId": item.link_id,
            "code": item_code(form, item)["coding"],
            "prefix": f"{item.number}.",
            "text": item.text,
            "type": "choice",
            "enableWhen": [_condition(form, each) for each in item.enable_when],
            "enableBehavior": "all" if len(item.enable_when) > 1 else None,
            "required": item.required,
            "answerOption": [_option(form, item, answer) for answer in item.answers],
        }
    )


def _condition(form: Instrument, condition: Condition) -> Element:
    """Render a condition; a Coding can only be equal or not, which the lint sees to."""
    item = form.by_link_id[condition.about]
    chosen = item.chosen(condition.value)
    coding = answer_coding(form, item, chosen) if chosen else None
    return present(
        {
            "question": condition.about,
            "operator": condition.operator.value,
            "answerCoding": coding,
        }
    )


def _option(form: Instrument, item: Item, answer: Answer) -> Element:
    score = {"url": ORDINAL_VALUE, "valueDecimal": answer.score}
    counted = [score] if answer.score is not None else None
    return present({"extension": counted, "valueCoding": answer_coding(form, item, answer)})


def _copyright(form: Instrument) -> str:
    licence = form.licence
    parts = (licence.statement, licence.attribution, licence.loinc_notice)
    return "\n\n".join(part for part in parts if part)
