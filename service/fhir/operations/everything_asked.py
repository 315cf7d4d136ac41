"""The parameters of $everything, read: which types, which dates, since when.

https://hl7.org/fhir/R4/patient-operation-everything.html
"""

from dataclasses import dataclass

from service.errors import ForbiddenError, InvalidElementsError, InvalidError
from service.fhir.mapping import Registry
from service.fhir.operations.call import Call, Inputs
from service.fhir.operations.operation import EVERYTHING
from service.fhir.rosters import ROSTER
from service.fhir.search_values import Condition, Moment, searched_moment

PATIENT = "Patient"
SUPPORTING = ("Location", "Organization", "Practitioner", "PractitionerRole")
USED = ("start", "end", "_since", "_type", "_count")


@dataclass(frozen=True)
class Asked:
    """What is wanted: the types about the patient, and those that support them.

    `granted` are the types about the patient that the token may read, whether wanted or not;
    `dated` bounds the type's own date; `used` are the parameters that links repeat.
    """

    granted: tuple[str, ...]
    about: tuple[str, ...]
    supporting: tuple[str, ...]
    dated: Condition | None
    since: int | None
    size: int
    used: tuple[tuple[str, str], ...]


def read_inputs(call: Call) -> Asked:
    """Return what was asked.

    Raises:
        InvalidError: a value is wrong; or, when strict, a parameter is unknown.
        ForbiddenError: a type was named that the token does not grant.
    """
    inputs, access = call.inputs, call.access
    if call.strict and (unknown := inputs.unknown(EVERYTHING.inputs)):
        raise InvalidElementsError(unknown)
    everyone = about_patients(call.endpoint.registry)
    granted = tuple(name for name in everyone if access.may(name, "r"))
    supporting = tuple(name for name in SUPPORTING if access.may(name, "r"))
    named = _named(call, (*everyone, *SUPPORTING))
    since = inputs.one("_since")
    count = inputs.number("_count", least=1)
    limit = call.endpoint.page_limit
    return Asked(
        granted=granted,
        about=tuple(name for name in granted if named is None or name in named),
        supporting=tuple(name for name in supporting if named is None or name in named),
        dated=_dated(inputs),
        since=None if since is None else unprefixed("_since", since).low,
        size=limit if count is None else min(count, limit),
        used=tuple(pair for pair in inputs.pairs if pair[0] in USED),
    )


def about_patients(registry: Registry) -> tuple[str, ...]:
    """Return the types whose documents are about one patient; no roster is."""
    return tuple(
        kind.name
        for kind in registry.types
        if kind.name == PATIENT or (kind.patient_path is not None and kind.name != ROSTER)
    )


def _named(call: Call, possible: tuple[str, ...]) -> frozenset[str] | None:
    """Return the types that `_type` names."""
    texts = call.inputs.all("_type")
    if not texts:
        return None
    named = frozenset(name for text in texts for name in text.split(",") if name)
    if not named:
        raise InvalidError("the parameter has no value", element="_type")
    for name in sorted(named):
        if name not in possible:
            raise InvalidError("names a type that is never part of $everything", element="_type")
        if not call.access.may(name, "r"):
            raise ForbiddenError(f"the token does not grant system/{name}.r")
    return named


def _dated(inputs: Inputs) -> Condition | None:
    start, end = inputs.one("start"), inputs.one("end")
    parts, args = [], []
    if start is not None:
        parts.append("d.date_high >= ?")
        args.append(unprefixed("start", start).low)
    if end is not None:
        parts.append("d.date_low <= ?")
        args.append(unprefixed("end", end).high)
    return Condition(" AND ".join(parts), tuple(args)) if parts else None


def unprefixed(name: str, text: str) -> Moment:
    if not text[:1].isdigit():
        raise InvalidError("must be a date such as 2026-03-01, without a prefix", element=name)
    return searched_moment(name, text)
