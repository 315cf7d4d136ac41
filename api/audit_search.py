"""Searches of AuditEvents: which parameters are taken, and what an event must fulfil.

https://hl7.org/fhir/R4/auditevent.html#search
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from service.errors import InvalidError, Problem
from service.fhir.search_results import CURSOR

Json = dict[str, Any]
Test = Callable[[Json], bool]

DEFINITION = "http://hl7.org/fhir/SearchParameter/AuditEvent-"
TOKENS: Mapping[str, Callable[[Json], Iterable[tuple[str, str]]]] = {
    "action": lambda event: [("http://hl7.org/fhir/audit-event-action", event["action"])],
    "outcome": lambda event: [
        ("http://terminology.hl7.org/CodeSystem/audit-event-outcome", event["outcome"])
    ],
    "type": lambda event: _codings([event["type"]]),
    "subtype": lambda event: _codings(event.get("subtype", ())),
    "entity-type": lambda event: _codings(each["type"] for each in event["entity"]),
    "entity-role": lambda event: _codings(
        each["role"] for each in event["entity"] if "role" in each
    ),
}
STRINGS: Mapping[str, Callable[[Json], Iterable[str]]] = {
    "address": lambda event: (
        each["network"]["address"] for each in event["agent"] if "network" in each
    ),
    "agent-name": lambda event: (
        each["who"]["identifier"]["value"] for each in event["agent"] if "identifier" in each["who"]
    ),
}
REFERENCES = ("patient", "entity")
DATES = ("date", "_lastUpdated")
TYPES = {
    **dict.fromkeys(TOKENS, "token"),
    **dict.fromkeys(STRINGS, "string"),
    **dict.fromkeys(REFERENCES, "reference"),
    "date": "date",
}
CONTROLS = frozenset({"_count", "_format", "_pretty", "_id", CURSOR, *DATES})
UNKNOWN = "this search parameter is not supported for AuditEvent"


def ignored(pairs: Iterable[tuple[str, str]]) -> tuple[Problem, ...]:
    """Return what is none of the parameters that are taken."""
    known = CONTROLS | set(TYPES)
    return tuple(Problem(name, UNKNOWN, "not-supported") for name, _ in pairs if name not in known)


def tests(pairs: Iterable[tuple[str, str]]) -> list[Test]:
    """Return what an event must fulfil, beyond what SQL has looked at."""
    return [found for name, value in pairs if (found := _test(name, value)) is not None]


def _test(name: str, value: str) -> Test | None:
    wanted = [each for each in value.split(",") if each]
    if name in TYPES and not wanted:
        raise InvalidError("is empty", element=name)
    if name in TOKENS:
        return lambda event: any(_is(one, each) for one in TOKENS[name](event) for each in wanted)
    if name in STRINGS:
        lower = tuple(each.lower() for each in wanted)
        return lambda event: any(one.lower().startswith(lower) for one in STRINGS[name](event))
    if name == "entity":
        return lambda event: any(one in wanted for one in _references(event))
    return None


def _codings(found: Iterable[Json]) -> Iterable[tuple[str, str]]:
    return [(each["system"], each["code"]) for each in found]


def _is(coding: tuple[str, str], wanted: str) -> bool:
    system, bar, code = wanted.rpartition("|")
    return (not code or coding[1] == code) and (not bar or not system or coding[0] == system)


def _references(event: Json) -> Iterable[str]:
    return [
        each["what"]["reference"] for each in event["entity"] if "reference" in each.get("what", {})
    ]
