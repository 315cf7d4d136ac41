"""The structure validator: fhir.resources once, and R4's tables for what it lets through.

https://hl7.org/fhir/R4/validation.html
"""

from typing import Any

from pydantic import ValidationError

from fhir_mappings.definitions.issue import Issue
from fhir_mappings.definitions.profiles import check_profile
from fhir_mappings.definitions.table import table
from fhir_mappings.definitions.walk import MOST_ISSUES, Walk, check_resource
from fhir_mappings.resources import model_for

__all__ = ["Issue", "validate", "validate_profile"]

Node = dict[str, Any]

# For more elements than this the tables alone judge: the library needs some 10 us for each.
_MOST_ELEMENTS = 5_000
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
    if walk.is_full or walk.size > _MOST_ELEMENTS:
        return walk.issues
    library = _library_issues(resource, name)[:MOST_ISSUES]
    return walk.issues + [issue for issue in library if not _covered(issue, walk.issues)]


def validate_profile(resource: Node, canonical: str) -> list[Issue]:
    """Return what breaks a profile, given by url or url|version, beyond R4 itself.

    A profile that is not known is one issue, not-found. What is not checked of a profile is said
    in definitions/profiles.py; a resource that is not well made R4 is for validate().
    """
    return check_profile(resource, canonical)[:MOST_ISSUES]


def _library_issues(resource: Node, name: str) -> list[Issue]:
    try:
        model_for(name).model_validate(resource)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        # Its messages are not passed on: some quote the value.
        issues = [_converted(resource, name, each["loc"], each["type"]) for each in found]
        return [issue for issue in dict.fromkeys(issues) if issue is not None]
    except Exception:  # noqa: BLE001 - it lets KeyError and others escape, and none may be a 500
        return [_error("structure", name, "The resource could not be read as FHIR")]
    return []


def _converted(resource: Node, name: str, loc: tuple[int | str, ...], kind: str) -> Issue | None:
    expression, is_known = _place(resource, name, loc)
    if kind == _MISSING:
        return _error("required", expression, "The element is required")
    if kind == _UNKNOWN:
        # R4B's classes lack some of R4's elements: the extensions of values in an extension.
        unknown = _error("structure", expression, "R4 has no such element here")
        return None if is_known else unknown
    return _error("invalid", expression, "The element is not valid FHIR")


def _place(resource: Node, name: str, loc: tuple[int | str, ...]) -> tuple[str, bool]:
    """Turn the library's place, made of JSON keys, into FHIRPath; tell if R4's tables have it."""
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
            return path, False
        kind, path = found.type, f"{path}.{found.name}"
        kind = _resource_type(value, kind)
    return path, True


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
