"""The structure validator: fhir.resources once, and R4's tables for what it lets through.

https://hl7.org/fhir/R4/validation.html
"""

from typing import Any

from pydantic import ValidationError

from fhir_mappings.definitions.issue import Issue
from fhir_mappings.definitions.table import table
from fhir_mappings.definitions.walk import MOST_ISSUES, Walk, check_resource
from fhir_mappings.resources import model_for

__all__ = ["Issue", "validate"]

Node = dict[str, Any]

_MISSING = "model_field_validation.missing"
_UNKNOWN = "extra_forbidden"


def validate(resource: Node) -> list[Issue]:
    """Return every broken rule that was found, none if the resource is well made."""
    name = resource.get("resourceType")
    if not isinstance(name, str) or name not in table().resource_types:
        return [_error("structure", "Resource", "resourceType must name a resource type of R4")]
    if name not in table().resources:
        return [_error("not-supported", name, "This resource type is not handled here")]
    walk = Walk(resource)
    try:
        check_resource(walk, resource, name)
    except RecursionError:
        return [_error("structure", name, "The resource is nested too deeply")]
    if walk.is_full:
        return walk.issues
    library = _library_issues(resource, name)[:MOST_ISSUES]
    return walk.issues + [issue for issue in library if not _covered(issue, walk.issues)]


def _library_issues(resource: Node, name: str) -> list[Issue]:
    try:
        model_for(name).model_validate(resource)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        # Its messages are not passed on: some quote the value.
        issues = [_converted(resource, name, each["loc"], each["type"]) for each in found]
        return list(dict.fromkeys(issues))
    except Exception:  # noqa: BLE001 - it lets KeyError and others escape, and none may be a 500
        return [_error("structure", name, "The resource could not be read as FHIR")]
    return []


def _converted(resource: Node, name: str, loc: tuple[int | str, ...], kind: str) -> Issue:
    expression = _expression(resource, name, loc)
    if kind == _MISSING:
        return _error("required", expression, "The element is required")
    if kind == _UNKNOWN:
        return _error("structure", expression, "R4 has no such element here")
    return _error("invalid", expression, "The element is not valid FHIR")


def _expression(resource: Node, name: str, loc: tuple[int | str, ...]) -> str:
    """Turn the library's place, which names JSON keys, into FHIRPath."""
    kind, value, path = name, resource, name
    for part in loc:
        try:
            value = value[part]  # type: ignore[index]  # what is not there ends the path below
        except (LookupError, TypeError):
            value = {}
        if isinstance(part, int):
            path += f"[{part}]"
            kind = _resource_type(value, kind)
            continue
        found = table().types[kind].elements.get(part) if kind in table().types else None
        if found is None:
            break
        kind, path = found.type, f"{path}.{found.name}"
        kind = _resource_type(value, kind)
    return path


def _resource_type(value: object, kind: str) -> str:
    """Return the type's own name where the element may be any resource."""
    name = value.get("resourceType") if kind == "Resource" and isinstance(value, dict) else None
    return name if isinstance(name, str) else kind


def _covered(issue: Issue, known: list[Issue]) -> bool:
    """Tell whether the tables already reported that element, or one around or inside it."""
    return any(
        _is_within(one.expression, issue.expression) or _is_within(issue.expression, one.expression)
        for one in known
    )


def _is_within(inner: str, outer: str) -> bool:
    return inner == outer or inner.startswith((f"{outer}.", f"{outer}["))


def _error(code: str, expression: str, diagnostics: str) -> Issue:
    return Issue("error", code, expression, diagnostics)
