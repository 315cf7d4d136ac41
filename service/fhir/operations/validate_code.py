"""$validate-code: whether a code is in a value set or code system that is carried.

https://hl7.org/fhir/R4/valueset-operation-validate-code.html
https://hl7.org/fhir/R4/codesystem-operation-validate-code.html
"""

from collections.abc import Collection
from typing import Any

import orjson

from service.errors import InvalidElementsError, InvalidError, NotFoundError, RequiredError
from service.fhir.endpoint import Answer, require
from service.fhir.index_values import folded
from service.fhir.interactions.read import current
from service.fhir.operations.call import Call, parameters
from service.fhir.operations.expand import require_whole, value_set
from service.fhir.operations.operation import VALIDATE_CODE, VALIDATE_CODE_OF_SYSTEM
from service.fhir.terminology import Concept, Terminology, terminology_of

SYSTEM_NOT_CARRIED = "the code system is not one of which every code is carried here"


async def validate_code(call: Call) -> Answer:
    """Answer for a value set."""
    require(call.access, "ValueSet", "r")
    if call.strict and (unknown := call.inputs.unknown(VALIDATE_CODE.inputs)):
        raise InvalidElementsError(unknown)
    asked = _asked(call, call.inputs.one("system"))
    _, found = await value_set(call)
    members = {(system, code) for system, codes in found.codes.items() for code in codes}
    return _judged(terminology_of(call.endpoint.registry), asked, members, "value set")


async def validate_code_of_system(call: Call) -> Answer:
    """Answer for a code system."""
    require(call.access, "CodeSystem", "r")
    if call.strict and (unknown := call.inputs.unknown(VALIDATE_CODE_OF_SYSTEM.inputs)):
        raise InvalidElementsError(unknown)
    url = await _system(call)
    terminology = terminology_of(call.endpoint.registry)
    if url not in terminology.complete:
        raise NotFoundError(SYSTEM_NOT_CARRIED, element="url")
    members = {(url, code) for code in terminology.displays[url]}
    return _judged(terminology, _asked(call, url), members, "code system")


async def _system(call: Call) -> str:
    if call.id is not None:
        answer = await current(call.endpoint, call.access, "CodeSystem", call.id)
        return str(orjson.loads(answer.body).get("url", ""))
    require_whole(call, "CodeSystem")
    coding = call.inputs.parts.get("coding", {})
    url = call.inputs.one("url") or coding.get("system")
    if not isinstance(url, str):
        raise RequiredError("the parameter is required", element="url")
    return url


def _asked(call: Call, system: str | None) -> list[Concept]:
    """Return the codes that were given; of a CodeableConcept any one may be right.

    Raises:
        InvalidError: none was, or its system is missing.
    """
    inputs = call.inputs
    if concept := inputs.parts.get("codeableConcept"):
        found = [_concept(each, None) for each in _codings(concept)]
    elif coding := inputs.parts.get("coding"):
        found = [_concept(coding, None)]
    else:
        said = {"code": inputs.one("code"), "display": inputs.one("display")}
        found = [_concept(said, system)]
    if not found:
        raise RequiredError("must have a coding", element="codeableConcept")
    return found


def _codings(concept: dict[str, Any]) -> list[dict[str, Any]]:
    found = concept.get("coding", [])
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise InvalidError("must be a list of codings", element="codeableConcept.coding")
    return found


def _concept(said: dict[str, Any], system: str | None) -> Concept:
    found = [said.get("system") or system, said.get("code"), said.get("display") or ""]
    if not isinstance(found[1], str) or not found[1]:
        raise RequiredError("the parameter is required", element="code")
    if not isinstance(found[0], str) or not isinstance(found[2], str):
        raise RequiredError("a code is judged with its system", element="system")
    return Concept(found[0], found[1], found[2])


def _judged(
    terminology: Terminology,
    asked: list[Concept],
    members: Collection[tuple[str, str]],
    of: str,
) -> Answer:
    display, message = "", f"the code is not in the {of}"
    for concept in asked:
        if (concept.system, concept.code) not in members:
            continue
        display = terminology.display(concept.system, concept.code)
        if not concept.display or not display or folded(display) == folded(concept.display):
            return parameters(("result", "Boolean", True), ("display", "String", display or None))
        message = "the display is not the one of the code"
    return parameters(
        ("result", "Boolean", False),
        ("message", "String", message),
        ("display", "String", display or None),
    )
