"""One call of an operation: who asks, on what, and its parameters wherever they stood.

https://hl7.org/fhir/R4/operations.html#request
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from service.access import Access
from service.errors import InvalidElementsError, InvalidError, Problem, RequiredError
from service.fhir.endpoint import Answer, Endpoint, Writing
from service.fhir.lexical import LexicalError, parse
from service.fhir.search_results import CURSOR

Json = dict[str, Any]
Pairs = Sequence[tuple[str, str]]

PARAMETERS = "Parameters"
SILENT = frozenset({"_format", "_pretty"})


@dataclass(frozen=True)
class Inputs:
    """The parameters: plain values as text, in order, and resources and structures by name."""

    pairs: tuple[tuple[str, str], ...] = ()
    parts: Mapping[str, Json] = field(default_factory=dict)

    def all(self, name: str) -> list[str]:
        return [value for found, value in self.pairs if found == name]

    def one(self, name: str) -> str | None:
        """Return the value, None where there is none.

        Raises:
            InvalidError: there are several, or it is empty.
        """
        found = self.all(name)
        if len(found) > 1:
            raise InvalidError("the parameter may stand once", element=name)
        if found and not found[0]:
            raise InvalidError("the parameter has no value", element=name)
        return found[0] if found else None

    def needed(self, name: str) -> str:
        found = self.one(name)
        if found is None:
            raise RequiredError("the parameter is required", element=name)
        return found

    def number(self, name: str, *, least: int = 0) -> int | None:
        found = self.one(name)
        if found is None:
            return None
        is_number = found.isascii() and found.isdecimal() and len(found) < 10  # noqa: PLR2004
        if not is_number or int(found) < least:
            raise InvalidError(f"must be a whole number, {least} or more", element=name)
        return int(found)

    def flag(self, name: str) -> bool:
        found = self.one(name)
        if found not in {None, "true", "false"}:
            raise InvalidError("must be true or false", element=name)
        return found == "true"

    def unknown(self, names: Iterable[str]) -> tuple[Problem, ...]:
        """Return what was given and is none of these."""
        given = dict.fromkeys([name for name, _ in self.pairs] + list(self.parts))
        wanted = {*names, *SILENT, CURSOR}
        rule = "not a parameter of this operation here"
        return tuple(
            Problem(_shown(name), rule, "not-supported") for name in given if name not in wanted
        )


@dataclass(frozen=True)
class Call:
    """What an operation works with; `id` is that of its instance, as clients know it."""

    endpoint: Endpoint
    writing: Writing
    access: Access
    type: str
    id: str | None = None
    inputs: Inputs = field(default_factory=Inputs)
    strict: bool = False


def inputs_of(pairs: Pairs, body: bytes = b"", *, takes_resource: bool = True) -> Inputs:
    """Return the parameters of the address and of the body: Parameters, or the one resource.

    `takes_resource` tells whether the operation has a resource for a parameter.

    Raises:
        InvalidError: the body is not FHIR's JSON, or not well-formed Parameters.
    """
    if not body.strip():
        return Inputs(tuple(pairs))
    value = _resource(body)
    if value["resourceType"] != PARAMETERS:
        if not takes_resource:
            raise InvalidError(f"must be {PARAMETERS}", element="resourceType")
        return Inputs(tuple(pairs), {"resource": value})
    said, parts = list(pairs), {}
    for number, each in enumerate(_items(value.get("parameter", []))):
        name, found = _parameter(each, f"Parameters.parameter[{number}]")
        if isinstance(found, str):
            said.append((name, found))
        elif name in parts:
            raise InvalidError("the parameter may stand once", element=_shown(name))
        else:
            parts[name] = found
    return Inputs(tuple(said), parts)


def _resource(body: bytes) -> Json:
    try:
        value = parse(body).value
    except LexicalError as error:
        problem = Problem(error.expression, error.message, "structure")
        raise InvalidElementsError((problem,)) from None
    if not isinstance(value.get("resourceType"), str):
        raise InvalidError("must be the name of a resource type", element="resourceType")
    return value


def _items(value: Any) -> list[Any]:  # noqa: ANN401 - JSON
    if not isinstance(value, list):
        raise InvalidError("must be a list", element="Parameters.parameter")
    return value


def _parameter(each: Any, element: str) -> tuple[str, str | Json]:  # noqa: ANN401 - JSON
    name = each.get("name") if isinstance(each, dict) else None
    if not isinstance(name, str) or not name:
        raise InvalidError("must have a name", element=element)
    found = [v for k, v in each.items() if k == "resource" or k.startswith("value")]
    if len(found) != 1:
        raise InvalidError("must have one value or resource", element=element)
    value = found[0]
    if isinstance(value, dict):
        return name, value
    if isinstance(value, bool):
        return name, str(value).lower()
    if value is None or isinstance(value, list):
        raise InvalidError("must be one value", element=element)
    return name, str(value)


def _shown(name: str) -> str:
    """Return a parameter's name as it may be repeated to the caller."""
    return "".join(c for c in name[:64] if c.isascii() and (c.isalnum() or c in "-_:.$")) or "query"


def parameters(*found: tuple[str, str, object]) -> Answer:
    """Answer with Parameters, each as name, type and value; where that is None, nothing."""
    listed = [{"name": n, f"value{kind}": v} for n, kind, v in found if v is not None]
    return Answer(200, orjson.dumps({"resourceType": "Parameters", "parameter": listed}))
