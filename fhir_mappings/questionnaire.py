"""Questionnaire: a published version of an instrument, from its definition.

https://hl7.org/fhir/R4/questionnaire.html
"""

from collections.abc import Iterator

from fhir_mappings import labels, references
from fhir_mappings.codes import LOINC, ORDINAL_VALUE
from fhir_mappings.datatypes import Element
from service.fhir.mapping import Draft, View
from service.instruments import Answer, Instrument, Item, instrument
from service.models.facts import InstrumentFacts

STEM = "stem"
PUBLISHER = "Alongside"


def render(facts: InstrumentFacts, _view: View) -> Iterator[Draft]:
    form = instrument(facts.name, facts.version)
    resource = {
        "url": form.url,
        "version": form.version,
        "name": form.name.replace("-", ""),
        "title": form.name,
        "derivedFrom": list(form.other_canonicals),
        "status": "active",
        "subjectType": ["Patient"],
        "publisher": PUBLISHER,
        "copyright": _copyright(form),
        "code": [{"system": LOINC, "code": form.panel, "display": form.panel_display}],
        "item": [
            {"linkId": STEM, "text": form.stem, "type": "display"},
            *(_item(item) for item in form.items),
        ],
    }
    source = references.source("instrument", facts.id)
    yield Draft("Questionnaire", source, resource, labels.PUBLIC)


def answer_coding(answer: Answer) -> Element:
    return {"system": LOINC, "code": answer.code, "display": answer.display}


def _item(item: Item) -> Element:
    return {
        "linkId": item.link_id,
        "code": [{"system": LOINC, "code": item.code}],
        "prefix": f"{item.number}.",
        "text": item.text,
        "type": "choice",
        "required": False,
        "answerOption": [_option(answer) for answer in item.answers],
    }


def _option(answer: Answer) -> Element:
    score = {"url": ORDINAL_VALUE, "valueDecimal": answer.score}
    return {"extension": [score], "valueCoding": answer_coding(answer)}


def _copyright(form: Instrument) -> str:
    licence = form.licence
    return f"{licence.statement}\n\n{licence.attribution}\n\n{licence.loinc_notice}"
