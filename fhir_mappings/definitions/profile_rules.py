"""The error-level invariants of profiles that are checked here, by key and type.

A rule is given the element that its profile puts it on.

https://hl7.org/fhir/us/core/STU7/
https://hl7.org/fhir/us/sdoh-clinicalcare/
"""

import re
from typing import Any

from fhir_mappings.definitions.predicates import (
    Node,
    Rule,
    choice,
    distinct,
    either,
    has,
    needs,
)

UCUM = "http://unitsofmeasure.org"
LOINC = "http://loinc.org"
_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_ALTERNATE = "http://hl7.org/fhir/StructureDefinition/alternate-reference"
_ASSERTER = (
    "http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/SDOHCC-ExtensionConditionAsserter"
)
_CATEGORY = "http://hl7.org/fhir/us/core/CodeSystem/us-core-category"
_TO_THE_DAY = 10


def _extensions(node: Node, url: str) -> list[Node]:
    return [each for each in node.get("extension", ()) if each.get("url") == url]


def _coded(concepts: list[Node], system: str, *codes: str) -> bool:
    return any(
        coding.get("code") in codes and coding.get("system") == system
        for concept in concepts
        for coding in concept.get("coding", ())
    )


def _matches(pattern: str) -> Rule:
    fullmatch = re.compile(pattern).fullmatch
    return lambda node: "value" not in node or fullmatch(node["value"]) is not None


def _luhn(identifier: Node) -> bool:
    """Tell whether an NPI's last digit fits; 24 stands for its unwritten prefix 80840."""
    digits = [int(digit) for digit in identifier.get("value", "")]
    doubled = [d * 2 if d < 5 else d * 2 - 9 for d in digits[0:9:2]]  # noqa: PLR2004 - Luhn's
    return not digits or (sum(doubled) + sum(digits[1:9:2]) + digits[9] + 24) % 10 == 0


def _to_the_day(value: object) -> bool:
    return not isinstance(value, str) or len(value) >= _TO_THE_DAY


def _says_something(observation: Node) -> bool:
    parts = has(observation, "component", "hasMember")
    return parts or _has_value(observation)


def _has_value(node: Node) -> bool:
    return has(node, "dataAbsentReason") or choice(node, "value")


def _ucum(node: Any) -> bool:  # noqa: ANN401 - the Observation, or whatever its value is
    if not isinstance(node, dict):
        return True
    quantity = node.get("valueQuantity", {}) if "resourceType" in node else node
    # Of the types of a value, Quantity alone has both a system and none of Coding's display.
    is_quantity = "value" in quantity or "unit" in quantity or "resourceType" in node
    return not is_quantity or quantity.get("system", UCUM) == UCUM


def _ucum_range(node: Node) -> bool:
    return all(node.get(end, {}).get("system", UCUM) == UCUM for end in ("low", "high"))


def _smoking(observation: Node) -> bool:
    is_status = any(
        coding.get("code") in {"72166-2", "11367-0"}
        for coding in observation.get("code", {}).get("coding", ())
    )
    return not is_status or "valueCodeableConcept" in observation


def _alone_if_unknown(extension: Node) -> bool:
    found = [each.get("valueCoding", {}) for each in _extensions(extension, "ombCategory")]
    return len(found) <= 1 or not any(each.get("code") in {"ASKU", "UNK"} for each in found)


def _answered_once(node: Node) -> bool:
    items = node.get("item", [])
    answered = [
        i.get("linkId") for i in items if any(choice(a, "value") for a in i.get("answer", ()))
    ]
    inner = [*items, *(answer for item in items for answer in item.get("answer", ()))]
    return distinct(answered) and all(map(_answered_once, inner))


def _component_or_absent(code: str) -> Rule:
    return lambda node: (
        has(node, "dataAbsentReason")
        != any(_coded([part.get("code", {})], LOINC, code) for part in node.get("component", ()))
    )


def _sdoh(node: Node) -> bool:
    return _coded(node.get("category", []), _CATEGORY, "sdoh")


PROFILE_RULES: dict[str, Rule] = {
    "pd-1@PractitionerRole": either("telecom", "endpoint"),
    "sdcqr-2@QuestionnaireResponse": _answered_once,
    "us-core-1@Observation": _to_the_day,
    "us-core-2@Observation": _says_something,
    "us-core-3@Observation": _ucum,
    "us-core-6@DocumentReference": either("url", "data"),
    "us-core-6@Patient": lambda n: has(n, "family", "given") != bool(_extensions(n, _ABSENT)),
    "us-core-13@PractitionerRole": either(
        "practitioner", "organization", "healthcareService", "location"
    ),
    "us-core-14@RelatedPerson": either("name", "relationship"),
    "us-core-16@Organization": _matches("[0-9]{10}"),
    "us-core-16@Practitioner": _matches("[0-9]{10}"),
    "us-core-17@Organization": _luhn,
    "us-core-17@Practitioner": _luhn,
    "us-core-18@Organization": _matches("[0-9]{2}D[0-9]{7}"),
    "us-core-19@Organization": _matches("[0-9]{5}"),
    "us-core-22@Observation": _ucum_range,
    "us-core-23@Extension": _alone_if_unknown,
    "us-core-23@Patient": _alone_if_unknown,
    "us-core-24@Observation": _smoking,
    "us-core-26@Observation": _has_value,
    "vs-1@Observation": _to_the_day,
    "vs-2@Observation": _says_something,
    "vs-3@Observation": _has_value,
    "SDOH-Con-1@Condition": lambda n: len(_extensions(n, _ASSERTER)) + has(n, "asserter") <= 1,
    "SDOH-Con-3@Condition": _sdoh,
    "SDOH-Ethnicity-1@Observation": _component_or_absent("69490-1"),
    "SDOH-Obs-1@Observation": lambda n: has(n, "reference") != bool(_extensions(n, _ALTERNATE)),
    "SDOH-Obs-2@Observation": needs("focus", "subject"),
    "SDOH-Obs-3@Observation": either("performer", "derivedFrom"),
    "SDOH-Obs-4@Observation": _sdoh,
    "SDOH-Race-1@Observation": _component_or_absent("72826-1"),
}
# provenance-1 and SDOH-Task-3 need the resource referred to, and SDOH-Con-2 a terminology; the
# other SDOH-Task rules repeat what the slices of input and output ask for.
NOT_CHECKED = frozenset(
    {"provenance-1@Provenance", "SDOH-Con-2@Condition"}
    | {f"SDOH-Task-{number}@Task" for number in range(1, 8)}
)
