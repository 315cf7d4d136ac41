"""Observation/$lastn: the newest observations of each code, of one patient or a few.

Observations with a coding in common are of one code.
https://hl7.org/fhir/R4/observation-operation-lastn.html
"""

from collections.abc import Iterable, Sequence

import orjson

from service.errors import (
    BusinessRuleError,
    InvalidElementsError,
    InvalidError,
    Problem,
    RequiredError,
)
from service.fhir.bundle_bytes import bundle, entry, link, remark
from service.fhir.endpoint import Answer, require
from service.fhir.operations.call import Call
from service.fhir.outcome import warnings
from service.fhir.paging import address, query_string
from service.fhir.search import COLUMNS, VISIBLE, Bounds, Found, limited, page_statement
from service.fhir.search_parameters import read_query
from service.fhir.search_plan import Plan, Sort
from service.fhir.search_results import CONTROLS, INCLUDES
from service.fhir.store_reader import Rows

OBSERVATION = "Observation"
WHOSE = frozenset({"patient", "subject", "subject:Patient"})
FORMS = frozenset({"_format", "_pretty"})
MOST = 5000
MOST_ANSWERED = 1000
NEWEST = Sort("d.date_low", descending=True)
CODES = (
    "SELECT f.id, t.system, t.code, s.value FROM (PAGE) f"
    " JOIN documents n ON n.id = f.id"
    " LEFT JOIN document_tokens t ON t.document = n.number AND t.param = 'code'"
    " LEFT JOIN document_strings s ON s.document = n.number AND s.param = 'code:text'"
    " ORDER BY f.date_low DESC, f.id DESC"
)
BY_ID = (
    f"SELECT {COLUMNS} FROM documents d"  # noqa: S608 - constants
    " WHERE d.id IN (IDS) AND d.audience = ?"
    f" AND d.type = '{OBSERVATION}' AND {VISIBLE}"
)
TOO_MANY = f"more than {MOST} observations match; ask for fewer codes or categories"


async def lastn(call: Call) -> Answer:
    """Return the newest `max` of each code."""
    require(call.access, OBSERVATION, "s")
    most = call.inputs.number("max", least=1) or 1
    plan = _plan(call)
    target = address(f"{call.endpoint.base}/{OBSERVATION}/$lastn", query_string(_used(call, plan)))
    await call.endpoint.settle()
    where = call.endpoint.audiences(OBSERVATION, call.access)
    sql, args = page_statement(plan, where, Bounds(call.access.limits))
    rows = await call.endpoint.reader.rows(CODES.replace("PAGE", sql), args)
    if len({row[0] for row in rows}) > MOST:
        raise BusinessRuleError(TOO_MANY, element="query")
    ids = [one for group in _grouped(rows) for one in group[:most]]
    if len(ids) > MOST_ANSWERED:
        raise BusinessRuleError(f"more than {MOST_ANSWERED} observations", element="max")
    found = await _found(call, ids)
    base = call.endpoint.base
    entries = [
        entry(b"match", f"{base}/{OBSERVATION}/{found[one].shown}", found[one].content)
        for one in ids
        if one in found
    ]
    if plan.ignored:
        entries.append(remark(orjson.dumps(warnings(plan.ignored))))
    shown = [each.content for each in found.values()]
    patients = {each.patient_key for each in found.values() if each.patient_key}
    return Answer(
        200, bundle("searchset", [link("self", target)], entries, shown=shown), patients=patients
    )


def _plan(call: Call) -> Plan:
    """Return the plan of the search whose matches are grouped.

    Raises:
        InvalidError: nobody is named, or a parameter is wrong.
    """
    if call.inputs.parts:
        raise InvalidError("takes plain values only", element="Parameters.parameter")
    pairs = [pair for pair in call.inputs.pairs if pair[0] != "max" and pair[0] not in FORMS]
    if not any(name in WHOSE for name, _ in pairs):
        raise RequiredError("`patient` or `subject` is required", element="patient")
    shaping = {*CONTROLS, *INCLUDES}
    aside = tuple(
        Problem(name, "not a parameter of this operation here", "not-supported")
        for name, _ in pairs
        if name.partition(":")[0] in shaping
    )
    if aside and call.strict:
        raise InvalidElementsError(aside)
    asked = [pair for pair in pairs if pair[0].partition(":")[0] not in shaping]
    kind = call.endpoint.registry.by_type[OBSERVATION]
    plan = read_query(kind, asked, call.endpoint.rules(call.access), strict=call.strict)
    return plan._replace(sort=(NEWEST,), size=MOST, ignored=(*plan.ignored, *aside))


def _used(call: Call, plan: Plan) -> list[tuple[str, str]]:
    return [*plan.used, *(("max", value) for value in call.inputs.all("max"))]


def _grouped(rows: Rows) -> Iterable[list[str]]:
    """Return the ids of each code's observations, newest first; the rows come newest first."""
    group_of: dict[tuple[str, str], list[str]] = {}
    codings: dict[str, list[tuple[str, str]]] = {}
    for one, system, code, text in rows:
        key = (system, code) if code else ("", f"text:{text}")
        codings.setdefault(one, []).append(key)
    leader: dict[tuple[str, str], tuple[str, str]] = {}

    def lead(key: tuple[str, str]) -> tuple[str, str]:
        while leader.setdefault(key, key) != key:
            key = leader[key]
        return key

    for keys in codings.values():
        for key in keys:
            leader[lead(key)] = lead(keys[0])
    for one, keys in codings.items():
        group_of.setdefault(lead(keys[0]), []).append(one)
    return group_of.values()


async def _found(call: Call, ids: Sequence[str]) -> dict[str, Found]:
    if not ids:
        return {}
    sql = BY_ID.replace("IDS", ", ".join("?" * len(ids)))
    access = call.access
    limit = call.endpoint.limits(access, [OBSERVATION], "s")
    args = (*ids, access.audience, *access.limits)
    rows = await call.endpoint.reader.rows(*limited(sql, args, limit))
    return {row[0]: Found(*row) for row in rows}
