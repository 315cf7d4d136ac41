"""JSON Patch applied to a resource: what it leaves alone keeps the text it was sent with.

https://www.rfc-editor.org/rfc/rfc6902
"""

from collections.abc import Sequence
from copy import deepcopy
from decimal import Decimal
from typing import Any

import jsonpatch
import jsonpointer

from service.errors import BusinessRuleError, InvalidError
from service.fhir.changes import Edit
from service.fhir.lexical import Lexical, LexicalError, overlay, parse

MOST_OPERATIONS = 1000
# Values, a long text counting for several: `copy` on its own result doubles it, again and again.
MOST_COPIED = 100_000
TEXT = 16
LARGEST = 1_000_000

Json = Any


def edit_of(name: str, body: bytes) -> Edit:
    """Return the edit that a JSON Patch document describes.

    Raises:
        InvalidError: it is no JSON Patch.
    """
    operations = _operations(body)
    try:
        steps = [jsonpatch.JsonPatch([each]) for each in operations]
    except (jsonpatch.InvalidJsonPatch, jsonpointer.JsonPointerException, TypeError, KeyError):
        raise InvalidError("must be a JSON Patch (RFC 6902)", element=name) from None
    return lambda current: _applied(name, list(zip(operations, steps, strict=True)), current)


def _operations(body: bytes) -> list[dict[str, Json]]:
    try:
        # A patch is an array; as a member it is read by the rules that resources are read by.
        members = parse(b'{"patch":' + body + b"}").value
    except LexicalError as error:
        raise InvalidError(error.message, element="patch") from None
    found = members.pop("patch")
    if members or not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise InvalidError("must be an array of operations", element="patch")
    if len(found) > MOST_OPERATIONS:
        raise InvalidError(f"has more than {MOST_OPERATIONS} operations", element="patch")
    return found


Steps = Sequence[tuple[dict[str, Json], jsonpatch.JsonPatch]]


def _applied(name: str, steps: Steps, current: Lexical) -> Lexical:
    try:
        after = _after(steps, deepcopy(current.value))
    except jsonpatch.JsonPatchTestFailed:
        raise BusinessRuleError("a test of the patch failed", element=name) from None
    except (
        jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, TypeError, KeyError,
        IndexError, ValueError, AttributeError,
    ):  # fmt: skip
        rule = "the patch leads to an element that is not there"
        raise BusinessRuleError(rule, element=name) from None
    except (_CopiedError, RecursionError):
        raise BusinessRuleError("the patch copies more than is taken", element=name) from None
    if not isinstance(after, dict):
        raise BusinessRuleError("the patch must leave a resource", element=name)
    return _overlaid(name, current, after)


class _CopiedError(Exception):
    pass


def _after(steps: Steps, document: Json) -> Json:
    copied = 0
    for operation, step in steps:
        if operation["op"] == "copy":
            copied += _weight(jsonpointer.resolve_pointer(document, str(operation.get("from"))))
            if copied > MOST_COPIED:
                raise _CopiedError
        document = step.apply(document, in_place=True)
    return document


def _weight(value: Json) -> int:
    """Return how many values there are, or some number above the most that may be copied."""
    weight, left = 0, [value]
    while left and weight <= MOST_COPIED:
        one = left.pop()
        weight += 1
        if isinstance(one, str):
            weight += len(one) // TEXT
        elif isinstance(one, dict):
            left += [*one, *one.values()]
        elif isinstance(one, list):
            left += one
    return weight


def _overlaid(name: str, current: Lexical, after: dict[str, Json]) -> Lexical:
    """Return the resource with the members that the patch changed, read as any other is."""
    before = current.value
    changed: dict[str, Json] = {
        key: value
        for key, value in after.items()
        if key not in before or not _is_same(before[key], value)
    }
    if None in changed.values():
        raise BusinessRuleError("an element must not be null", element=name)
    changed |= dict.fromkeys(before.keys() - after.keys())
    try:
        body = overlay(current, changed).text()
        if len(body) > LARGEST:
            raise BusinessRuleError(f"a resource may have {LARGEST} bytes", element=name)
        return parse(body)
    except TypeError:  # orjson goes 254 levels deep
        raise BusinessRuleError("the patch nests too deep", element=name) from None
    except LexicalError as error:
        raise BusinessRuleError(error.message, element=error.expression) from None


def _is_same(one: Json, other: Json) -> bool:
    """Tell whether two values are written alike: 1 is not true, and 72.50 not 72.5."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_is_same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_is_same, one, other))
    return str(one) == str(other) if isinstance(one, Decimal) else bool(one == other)
