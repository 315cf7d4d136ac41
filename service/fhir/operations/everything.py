"""Patient/[id]/$everything: the Patient, what is about the patient, and who took part.

A roster (Group) is never part of it (DESIGN section 4).
https://hl7.org/fhir/R4/patient-operation-everything.html
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import orjson

from service.clock import microseconds
from service.fhir.bundle_bytes import bundle, entry, link, remark
from service.fhir.endpoint import Answer, absent, require
from service.fhir.interactions.read import stored_id
from service.fhir.operations.call import Call
from service.fhir.operations.everything_asked import (
    PATIENT,
    SUPPORTING,
    Asked,
    read_inputs,
)
from service.fhir.operations.operation import EVERYTHING
from service.fhir.outcome import warnings
from service.fhir.paging import Place, address, next_link, opened, query_string
from service.fhir.search import COLUMNS, VISIBLE, Found, Statement, limited
from service.fhir.search_results import CURSOR

# One row comes always: its first column says whether a consent has begun or ended by the clock.
WHO = (
    "SELECT EXISTS (SELECT 1 FROM projection_due WHERE at <= ?),"  # noqa: S608 - constants
    f" d.last_updated, {COLUMNS}"
    f" FROM (SELECT 1 AS one) o LEFT JOIN documents d ON d.id = ? AND d.type = '{PATIENT}'"
    f" AND d.audience = ? AND {VISIBLE}"
)
ABOUT = (
    f"SELECT {COLUMNS} FROM documents d"  # noqa: S608 - constants
    " WHERE d.audience = ? AND d.subject = ?"
    f" AND d.type IN (TYPES) AND {VISIBLE}"
)
# A client's documents about a patient refer to whom they like: each passes the filter by itself.
SUPPORT = (
    f"SELECT {COLUMNS} FROM (SELECT DISTINCT r.target FROM documents s"  # noqa: S608 - constants
    " CROSS JOIN document_references r WHERE s.audience = ? AND s.subject = ?"
    " AND s.type IN (TYPES) AND NOT s.deleted"
    " AND s.confidentiality <= ? AND s.purposes & ? <> 0DATED"
    " AND r.document = s.number AND r.target_type IN (WANTED)) k"
    " CROSS JOIN documents d WHERE d.id = k.target AND d.audience IN (?, ?)"
    f" AND d.type IN (WANTED) AND {VISIBLE}"
)
DATED = " AND (A.date_high IS NULL OR A.type IN ('Patient', 'RelatedPerson') OR ({}))"
BEYOND = " AND (d.type, d.id) > (?, ?)"
ORDER = " ORDER BY d.type, d.id LIMIT ?"


@dataclass(frozen=True)
class Page:
    """Where one page begins, and what bounds it: its last moment, where it is timed."""

    patient: str
    after: tuple[str, str] | None = None
    until: int | None = None


async def everything(call: Call) -> Answer:
    """Return one page."""
    require(call.access, PATIENT, "r")
    asked = read_inputs(call)
    endpoint, access = call.endpoint, call.access
    target = address(f"{endpoint.base}/{PATIENT}/{call.id}/$everything", query_string(asked.used))
    cursor = call.inputs.one(CURSOR)
    place = opened(endpoint.link_key, access, target, cursor) if cursor else None
    last_updated, patient = await patient_of(call)
    page = Page(patient.id)
    if place is not None:
        page = Page(patient.id, (str(place.values[0]), str(place.values[1])), place.until)
    elif asked.since is not None:
        page = replace(page, until=await endpoint.reader.horizon())
    first = place is None and PATIENT in asked.about and _is_since(asked, page, last_updated)
    rows = [patient] if first else []
    rows += await _rows(call, asked, page, asked.size + 1 - len(rows))
    links = [link("self", target)]
    if len(rows) > asked.size:
        rows = rows[: asked.size]
        after = Place((rows[-1].type, rows[-1].id), page.until)
        links.append(link("next", next_link(endpoint.link_key, access, target, after)))
    return _answer(call, links, rows, patient.patient_key)


async def patient_of(call: Call) -> tuple[int, Found]:
    """Return when the Patient changed, and the Patient, or raise NotFoundError."""
    endpoint, access = call.endpoint, call.access
    shown = str(call.id)
    stored = stored_id(endpoint, access, PATIENT, shown)
    who = (microseconds(endpoint.clock()), stored, access.audience, *access.limits)
    sql, args = limited(WHO, who, endpoint.limits(access, [PATIENT], "r"))
    ((due, *found),) = await endpoint.reader.rows(sql, args)
    if due:
        await endpoint.settle()
        ((_, *found),) = await endpoint.reader.rows(sql, args)
    last_updated, *columns = found
    patient = Found(*columns)
    if last_updated is None or patient.shown != shown:
        raise absent(PATIENT)
    return last_updated, patient


def _is_since(asked: Asked, page: Page, last_updated: int) -> bool:
    if asked.since is None:
        return True
    return asked.since <= last_updated and (page.until is None or last_updated < page.until)


async def _rows(call: Call, asked: Asked, page: Page, most: int) -> list[Found]:
    """Return what is about the patient, and after it, while there is room, who took part."""
    reader, found = call.endpoint.reader, []
    supporting = page.after is not None and page.after[0] in SUPPORTING
    about = tuple(name for name in asked.about if name != PATIENT)
    if about and not supporting:
        sql, args = _about(call, asked, page, about)
        found = [Found(*row) for row in await reader.rows(sql + ORDER, (*args, most))]
    if asked.supporting and asked.granted and len(found) < most:
        sql, args = _support(call, asked, page if supporting else replace(page, after=None))
        left = most - len(found)
        found += [Found(*row) for row in await reader.rows(sql + ORDER, (*args, left))]
    return found


def _about(call: Call, asked: Asked, page: Page, about: Sequence[str]) -> Statement:
    access, limit = call.access, call.endpoint.limits(call.access, about, "r")
    dated = DATED.replace("A.", "d.").format(asked.dated.sql) if asked.dated else ""
    sql = ABOUT.replace("TYPES", _marks(len(about))) + dated
    args = (access.audience, page.patient, *about, *access.limits)
    args += asked.dated.args if asked.dated else ()
    return _bounded(*limited(sql, args, limit), asked, page)


def _support(call: Call, asked: Asked, page: Page) -> Statement:
    access, wanted, endpoint = call.access, asked.supporting, call.endpoint
    within = (
        DATED.replace("A.", "s.").format(asked.dated.sql.replace("d.", "s.")) if asked.dated else ""
    )
    limit = endpoint.limits(access, asked.granted, "r", "s")
    within, more = limited(within, (), limit)
    sql = SUPPORT.replace("TYPES", _marks(len(asked.granted))).replace("DATED", within)
    sql = sql.replace("WANTED", _marks(len(wanted)))
    args = (access.audience, page.patient, *asked.granted, *access.limits)
    args += (*(asked.dated.args if asked.dated else ()), *more)
    args += (*wanted, *access.audiences, *wanted, *access.limits)
    return _bounded(*limited(sql, args, endpoint.limits(access, wanted, "r")), asked, page)


def _bounded(sql: str, args: tuple[object, ...], asked: Asked, page: Page) -> Statement:
    if asked.since is not None:
        sql, args = f"{sql} AND d.last_updated >= ?", (*args, asked.since)
    if page.until is not None:
        sql, args = f"{sql} AND d.last_updated < ?", (*args, page.until)
    if page.after is not None:
        sql, args = sql + BEYOND, (*args, *page.after)
    return sql, args


@lru_cache(maxsize=64)
def _marks(count: int) -> str:
    return ", ".join("?" * count)


def _answer(call: Call, links: Sequence[bytes], rows: Sequence[Found], key: str | None) -> Answer:
    base = call.endpoint.base
    entries = [
        entry(
            b"include" if row.type in SUPPORTING else b"match",
            f"{base}/{row.type}/{row.shown}",
            row.content,
        )
        for row in rows
    ]
    if ignored := call.inputs.unknown(EVERYTHING.inputs):
        entries.append(remark(orjson.dumps(warnings(ignored))))
    body = bundle("searchset", links, entries, shown=(row.content for row in rows))
    return Answer(200, body, patients=(key,) if key else ())
