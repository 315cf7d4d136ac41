"""Patient/$match: which of the caller's own patients a person may be, graded by fixed weights.

Nobody is compared who is not in the caller's audience and under its ceiling. The weights are of
this project (docs/fhir.md): a rule that anybody can recompute, and no statement of identity.
https://hl7.org/fhir/R4/patient-operation-match.html
"""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import orjson

from service.errors import InvalidElementsError, InvalidError, Problem, RequiredError
from service.fhir.bundle_bytes import bundle
from service.fhir.endpoint import Answer, require
from service.fhir.mapping import ResourceType
from service.fhir.operations.call import Call, Json
from service.fhir.operations.operation import MATCH
from service.fhir.search import COLUMNS, VISIBLE, Found, limited
from service.fhir.search_index import IndexRows, index
from service.fhir.search_values import Condition

PATIENT = "Patient"
GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"
CANDIDATES = 200
WEIGHTS = {
    "identifier": 50,
    "birthdate": 20,
    "family": 15,
    "given": 10,
    "phone": 10,
    "address-postalcode": 5,
    "gender": 5,
}
# What is known of both and differs counts against them.
AGAINST = {"identifier": 10, "birthdate": 20, "family": 10, "given": 5, "gender": 10}
CERTAIN, PROBABLE, POSSIBLE = 85, 45, 25
TOKENS = ("identifier", "gender", "phone")
STRINGS = ("family", "given", "address-postalcode")
KEYS: dict[str, str] = {
    "identifier": "SELECT document AS number FROM document_tokens WHERE audience = ?"
    " AND type = 'Patient' AND param = 'identifier' AND system = ? AND code = ?",
    "phone": "SELECT document AS number FROM document_tokens WHERE audience = ?"
    " AND type = 'Patient' AND param = 'phone' AND system = ? AND code = ?",
    "family": "SELECT document AS number FROM document_strings WHERE audience = ?"
    " AND type = 'Patient' AND param = 'family' AND value = ?",
    "birthdate": "SELECT number FROM documents WHERE audience = ? AND type = 'Patient'"
    " AND date_low = ? AND date_high = ?",
}
FOUND = (
    f"SELECT {COLUMNS}"  # noqa: S608 - constants
    " FROM (SELECT number, count(*) AS hits FROM (KEYS) a GROUP BY number) k"
    " CROSS JOIN documents d WHERE d.number = k.number AND d.audience = ? AND d.type = 'Patient'"
    f" AND {VISIBLE}"
)
LIKELIEST = f" ORDER BY k.hits DESC, d.id LIMIT {CANDIDATES}"
NOTHING_KNOWN = "must have an identifier with its system, a family name, a birth date or a phone"


class Graded(NamedTuple):
    score: int
    grade: str
    found: Found


async def match(call: Call) -> Answer:
    """Return the patients who may be the person, the likeliest first."""
    require(call.access, PATIENT, "s")
    if call.strict and (unknown := call.inputs.unknown(MATCH.inputs)):
        raise InvalidElementsError(unknown)
    count = call.inputs.number("count", least=1)
    certain = call.inputs.flag("onlyCertainMatches")
    kind = call.endpoint.registry.by_type[PATIENT]
    known = await asyncio.to_thread(_known, call, kind)
    graded = await _graded(call, kind, known)
    if certain:
        sure = [each for each in graded if each.grade == "certain"]
        graded = sure if len(sure) == 1 else []
    limit = call.endpoint.page_size
    return _answer(call, graded[: limit if count is None else min(count, limit)])


def _known(call: Call, kind: ResourceType) -> IndexRows:
    """Return what is known of the person, as the search index has it of each patient.

    Raises:
        InvalidError: it is no Patient, or says too little.
    """
    resource = call.inputs.parts.get("resource")
    if resource is None:
        raise RequiredError("the Patient is required", element="resource")
    if resource.get("resourceType") != PATIENT:
        raise InvalidError("must be a Patient", element="resource")
    broken = tuple(
        Problem(each.expression, each.diagnostics, each.code)
        for each in call.writing.validate(resource)
        if each.severity in {"fatal", "error"}
    )
    if broken:
        raise InvalidElementsError(broken)
    return _rows(resource, kind)


def _rows(resource: Json, kind: ResourceType) -> IndexRows:
    return index(resource, kind, meta={}, subject=None)


async def _graded(call: Call, kind: ResourceType, known: IndexRows) -> list[Graded]:
    keys = list(_keys(call.access.audience, known))
    if not keys:
        raise InvalidError(NOTHING_KNOWN, element="Patient")
    await call.endpoint.settle()
    sql = FOUND.replace("KEYS", " UNION ALL ".join(each.sql for each in keys))
    access = call.access
    args = (*(arg for each in keys for arg in each.args), access.audience, *access.limits)
    sql, args = limited(sql, args, call.endpoint.limits(access, [PATIENT], "s"))
    rows = await call.endpoint.reader.rows(sql + LIKELIEST, args)
    graded = await asyncio.to_thread(lambda: [_grade(known, Found(*row), kind) for row in rows])
    return sorted(
        (each for each in graded if each is not None),
        key=lambda each: (-each.score, each.found.id),
    )


def _keys(audience: int, known: IndexRows) -> Iterator[Condition]:
    """Yield what finds those who share one strong trait."""
    for param, system, code in sorted(known.tokens):
        if param in KEYS and (system or param != "identifier"):
            yield Condition(KEYS[param], (audience, system, code))
    for param, value, _ in sorted(known.strings):
        if param in KEYS:
            yield Condition(KEYS[param], (audience, value))
    if known.low is not None and known.high is not None:
        yield Condition(KEYS["birthdate"], (audience, known.low, known.high))


def _grade(known: IndexRows, found: Found, kind: ResourceType) -> Graded | None:
    """Return the grade, or None for somebody who shares too little, or was merged into another.

    Who has the same identifier, and yet is somebody else by the rest, is told as such.
    """
    resource = orjson.loads(found.content)
    if any(each.get("type") == "replaced-by" for each in resource.get("link", ())):
        return None  # the one that took its place is compared by itself
    theirs = _traits(_rows(resource, kind))
    ours = _traits(known)
    score = 0
    for name, weight in WEIGHTS.items():
        if ours[name] & theirs[name]:
            score += weight
        elif ours[name] and theirs[name] and _comparable(name, ours[name], theirs[name]):
            score -= AGAINST.get(name, 0)
    score = max(0, min(100, score))
    grade = _name_of(score)
    if grade != "certainly-not" or ours["identifier"] & theirs["identifier"]:
        return Graded(score, grade, found)
    return None


def _name_of(score: int) -> str:
    if score >= CERTAIN:
        return "certain"
    if score >= PROBABLE:
        return "probable"
    return "possible" if score >= POSSIBLE else "certainly-not"


def _traits(rows: IndexRows) -> dict[str, set[Any]]:
    found: dict[str, set[Any]] = {name: set() for name in WEIGHTS}
    for param, system, code in rows.tokens:
        if param in TOKENS and (system or param != "identifier") and code != "unknown":
            found[param].add((system, code))
    for param, value, _ in rows.strings:
        if param in STRINGS:
            found[param].add(value)
    if rows.high is not None:
        found["birthdate"].add((rows.low, rows.high))
    return found


def _comparable(name: str, ours: set[Any], theirs: set[Any]) -> bool:
    """Tell whether a difference says anything: of identifiers, only within one system."""
    if name != "identifier":
        return True
    return bool({system for system, _ in ours} & {system for system, _ in theirs})


def _answer(call: Call, graded: Sequence[Graded]) -> Answer:
    base = f"{call.endpoint.base}/{PATIENT}"
    entries = [
        b'{"fullUrl":"%b","resource":%b,"search":{"extension":[{"url":"%b","valueCode":"%b"}],'
        b'"mode":"match","score":%b}}'
        % (
            f"{base}/{each.found.shown}".encode(),
            each.found.content,
            GRADE.encode(),
            each.grade.encode(),
            f"{each.score / 100:.2f}".encode(),
        )
        for each in graded
    ]
    patients = {each.found.patient_key for each in graded if each.found.patient_key}
    shown = (each.found.content for each in graded)
    body = bundle("searchset", [], entries, total=len(graded), shown=shown)
    return Answer(200, body, patients=patients)
