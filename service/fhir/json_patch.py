"""JSON Patch applied to a resource: what it leaves alone keeps the text it was sent with.

https://www.rfc-editor.org/rfc/rfc6902
"""

from copy import deepcopy
from typing import Any

import jsonpatch
import jsonpointer

from service.errors import BusinessRuleError, InvalidError
from service.fhir.changes import Edit
from service.fhir.lexical import Lexical, LexicalError, overlay, parse

MOST_OPERATIONS = 1000
OURS = ("resourceType", "id")


def edit_of(name: str, body: bytes) -> Edit:
    """Return the edit that a JSON Patch document describes.

    Raises:
        InvalidError: it is no JSON Patch.
    """
    operations = _operations(body)
    try:
        patch = jsonpatch.JsonPatch(operations)
    except (jsonpatch.InvalidJsonPatch, jsonpointer.JsonPointerException, TypeError, KeyError):
        raise InvalidError("must be a JSON Patch (RFC 6902)", element=name) from None
    return lambda current: _applied(name, patch, current)


def _operations(body: bytes) -> list[dict[str, Any]]:
    try:
        # A patch is an array; as a member it is read by the rules that resources are read by.
        found = parse(b'{"patch":' + body + b"}").value["patch"]
    except LexicalError as error:
        raise InvalidError(error.message, element="patch") from None
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise InvalidError("must be an array of operations", element="patch")
    if len(found) > MOST_OPERATIONS:
        raise InvalidError(f"has more than {MOST_OPERATIONS} operations", element="patch")
    return found


def _applied(name: str, patch: jsonpatch.JsonPatch, current: Lexical) -> Lexical:
    before = current.value
    try:
        after = patch.apply(deepcopy(before))
    except jsonpatch.JsonPatchTestFailed:
        raise BusinessRuleError("a test of the patch failed", element=name) from None
    except (
        jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, TypeError, KeyError,
        IndexError, ValueError, AttributeError,
    ):  # fmt: skip
        rule = "the patch leads to an element that is not there"
        raise BusinessRuleError(rule, element=name) from None
    if not isinstance(after, dict):
        raise BusinessRuleError("the patch must leave a resource", element=name)
    changed = {key: value for key, value in after.items() if before.get(key) != value}
    changed |= dict.fromkeys(before.keys() - after.keys())
    return overlay(current, changed)
