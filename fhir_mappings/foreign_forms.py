"""Which questionnaire a response answers, and what its linkIds stand for, whosever form it was.

A form of ours, or one that a definition accepts, is known by its canonical. Another travels with
the response, contained: it is known by what it is derived from, or by LOINC's code for the panel.

https://hl7.org/fhir/R4/questionnaireresponse-definitions.html#QuestionnaireResponse.questionnaire
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fhir_mappings.codes import LOINC
from service.instruments import Instrument, Item, all_versions, by_canonical

Node = dict[str, Any]


@dataclass(frozen=True)
class Form:
    """An instrument, and LOINC's codes for the linkIds of the form that was filled in."""

    instrument: Instrument
    link_ids: Mapping[str, str] = field(default_factory=dict)

    def item(self, link_id: str) -> Item | None:
        """The item by the instrument's own linkIds first, else by the code the form gives it."""
        own = self.instrument.item(link_id)
        return own or self.instrument.item(self.link_ids.get(link_id, ""))

    def is_total(self, link_id: str) -> bool:
        own = self.instrument.is_total(link_id)
        return own or self.instrument.is_total(self.link_ids.get(link_id, ""))


def form_of(resource: Node) -> Form | None:
    """Return the form that a response answers, if it is one that is scored here."""
    canonical = resource.get("questionnaire")
    if not isinstance(canonical, str):
        return None
    if not canonical.startswith("#"):
        known = by_canonical(canonical)
        return Form(known) if known else None
    questionnaire = _contained(resource, canonical[1:])
    known = _recognised(questionnaire)
    return Form(known, dict(_codes(questionnaire.get("item")))) if known else None


def is_relative(canonical: str) -> bool:
    """Tell whether it is no canonical at all: what it names depends on whose server is meant."""
    return not canonical.startswith("#") and ":" not in canonical.partition("/")[0]


def _contained(resource: Node, name: str) -> Node:
    found = (each for each in _nodes(resource.get("contained")) if each.get("id") == name)
    return next((each for each in found if each.get("resourceType") == "Questionnaire"), {})


def _recognised(questionnaire: Node) -> Instrument | None:
    derived = questionnaire.get("derivedFrom")
    names = [questionnaire.get("url"), *(derived if isinstance(derived, list) else [])]
    for name in names:
        if isinstance(name, str) and (known := by_canonical(name)):
            return known
    codes = set(_loinc(questionnaire))
    found = [each for each in all_versions() if each.panel and each.panel in codes]
    return found[-1] if found else None


def _codes(items: object) -> Iterator[tuple[str, str]]:
    """Yield each linkId with LOINC's code for it, those inside groups too."""
    for node in _nodes(items):
        link_id = node.get("linkId")
        for code in _loinc(node) if isinstance(link_id, str) else ():
            yield str(link_id), code
        yield from _codes(node.get("item"))


def _loinc(node: Node) -> Iterator[str]:
    for each in _nodes(node.get("code")):
        code = each.get("code")
        if each.get("system") == LOINC and isinstance(code, str):
            yield code


def _nodes(value: object) -> Iterator[Node]:
    for each in value if isinstance(value, list) else []:
        if isinstance(each, dict):
            yield each
