"""/fhir/AuditEvent: audit rows as events, for the privacy officer of a hospital or of all.

They are no documents: an event is rendered when it is read. A hospital's officer reads of its own
clients only. https://hl7.org/fhir/R4/auditevent.html
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import orjson
from anyio import to_thread
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from api.audit_events import events_of
from api.audit_search import DATES, ignored, tests
from api.context import Context
from api.dependencies import access_of
from api.negotiation import accepts_json, is_strict, pairs_of
from api.responses import FhirResponse, refusal
from api.routes.fhir_requests import FORM, Interaction, body_of, not_acceptable, query_of, too_large
from service.access import AUDIT, Access
from service.audit.details import installation_key
from service.audit.entries import AuditEntry
from service.audit.partitions import id_of
from service.audit.people import names_in_rows, patient_shown, with_merged
from service.audit.reading import Asked, opened, read
from service.audit.searching import page
from service.errors import ForbiddenError, InvalidError
from service.fhir.bundle_bytes import bundle, entry, link, remark
from service.fhir.endpoint import Answer, absent
from service.fhir.identity import ID, caller_audience, storage_id
from service.fhir.outcome import warnings
from service.fhir.paging import Place, address, next_link, query_string
from service.fhir.paging import opened as place_of
from service.fhir.search_results import CURSOR
from service.fhir.search_values import require_text, searched_moment

Pairs = Sequence[tuple[str, str]]
ROW = 32  # characters of a request's id, and of an event's before the number of its patient
LATEST = "g"  # comes after every id


async def read_event(request: Request, context: Context) -> Response:
    access = await _officer(request, context, "r")
    shown = request.path_params["id"]
    if not ID.fullmatch(shown):
        raise absent(AUDIT)
    row, _, _ = shown.partition(".")
    asked = Asked(request_id=row, audience=_audience(access))
    found = await to_thread.run_sync(_events, context, access, asked)
    for event in found:
        if event["id"] == shown:
            return FhirResponse(Answer(200, orjson.dumps(event)))
    raise absent(AUDIT)


async def search_events(request: Request, context: Context) -> Response:
    return await _searched(request, context, query_of(request))


async def search_events_by_post(request: Request, context: Context) -> Response:
    await _officer(request, context, "s")
    if not request.headers.get("content-type", "").lower().startswith(FORM):
        return refusal(415, "not-supported", f"send the parameters as {FORM}")
    body = await body_of(request)
    if body is None:
        return too_large()
    query = "&".join(each for each in (query_of(request), body.decode("ascii", "replace")) if each)
    request.state.searched = query.encode("latin-1", "replace")
    return await _searched(request, context, query)


TABLE: dict[str, dict[str, Interaction]] = {
    "/fhir/AuditEvent/_search": {"POST": search_events_by_post},
    "/fhir/AuditEvent/{id}": {"GET": read_event},
    "/fhir/AuditEvent": {"GET": search_events},
}


async def _officer(request: Request, context: Context, letter: str) -> Access:
    access = await access_of(request, context)
    if not access.privacy_officer:
        raise ForbiddenError("audit events are for the privacy officer's client")
    if not access.may(AUDIT, letter):
        raise ForbiddenError(f"the token does not grant system/{AUDIT}.{letter}")
    if access.queries(AUDIT, letter) is not None:
        raise ForbiddenError(f"a scope of {AUDIT} with ?parameter=value is not executed")
    return access


def _audience(access: Access) -> int | None:
    return None if access.is_programme else access.audience


async def _searched(request: Request, context: Context, query: str) -> Response:
    access = await _officer(request, context, "s")
    pairs = pairs_of(query)
    if not accepts_json(request, pairs):
        return not_acceptable()
    left_out = ignored(pairs)
    if left_out and is_strict(request):
        raise InvalidError(left_out[0].rule, element=left_out[0].element)
    names = {each.element for each in left_out}
    pairs = [each for each in pairs if each[0] not in names]
    for each in pairs:
        require_text(*each)
    answer = await to_thread.run_sync(partial(_page, context, access, pairs, left_out))
    return FhirResponse(answer)


def _page(context: Context, access: Access, pairs: Pairs, left_out: Any) -> Answer:  # noqa: ANN401
    endpoint = context.endpoint
    used = [each for each in pairs if each[0] != CURSOR]
    target = address(f"{endpoint.base}/{AUDIT}", query_string(used))
    asked = _asked(context, access, used)
    for name, value in pairs:
        if name == CURSOR:
            place = place_of(endpoint.link_key, access, target, value)
            asked = replace(asked, before=str(place.values[0]))
    found = page(
        context.audit_reader.engine, asked, _size(context, used), _finding(context, access, used)
    )
    links = [link("self", target)]
    if found.after is not None:
        links.append(
            link("next", next_link(endpoint.link_key, access, target, Place((found.after,))))
        )
    entries = [
        entry(b"match", f"{endpoint.base}/{AUDIT}/{event['id']}", orjson.dumps(event))
        for event in found.items
    ]
    if left_out:
        entries.append(remark(orjson.dumps(warnings(left_out))))
    return Answer(200, bundle("searchset", links, entries))


def _finding(context: Context, access: Access, pairs: Pairs) -> Any:  # noqa: ANN401 - searching.Open
    """Return what renders rows, and keeps of each the events that are asked for."""
    wanted = tests(pairs)
    patients = {
        each if "/" in each else f"Patient/{each}"
        for name, value in pairs
        if name == "patient"
        for each in value.split(",")
    }

    def fits(event: dict[str, Any]) -> bool:
        about = {each.get("what", {}).get("reference") for each in event["entity"]}
        return (not patients or not patients.isdisjoint(about)) and all(t(event) for t in wanted)

    def of(rows: Sequence[AuditEntry]) -> list[tuple[str, list[dict[str, Any]]]]:
        found: dict[str, list[dict[str, Any]]] = {row.request_id: [] for row in rows}
        for event in _rendered(context, access, rows):
            if fits(event):
                found[event["id"].partition(".")[0]].append(event)
        return list(found.items())

    return of


def _events(context: Context, access: Access, asked: Asked) -> list[dict[str, Any]]:
    return _rendered(context, access, read(context.audit_reader.engine, asked, 1))


def _rendered(context: Context, access: Access, rows: Sequence[AuditEntry]) -> list[dict[str, Any]]:
    def work(session: Session) -> list[dict[str, Any]]:
        found = opened(session, installation_key(context.key), rows)
        audience = caller_audience(context.key, access)
        return events_of(session, audience, found, context.settings.public_base_url)

    return context.database.read(work)


def _asked(context: Context, access: Access, pairs: Pairs) -> Asked:
    asked = Asked(audience=_audience(access))
    for name, value in pairs:
        if name == "_id":
            asked = replace(asked, request_id=value.partition(".")[0])
        elif name == "patient":
            asked = replace(asked, patients=_named(context, access, value))
        elif name in DATES:
            asked = _within(asked, name, value)
    return asked


def _named(context: Context, access: Access, value: str) -> frozenset[str]:
    """Return what rows call these patients, whom the caller knows by its own ids."""
    audience = caller_audience(context.key, access)

    def work(session: Session) -> frozenset[str]:
        names: set[str] = {""}  # no row has it: a person whom nobody knows has no rows
        for each in value.split(","):
            shown = each.removeprefix("Patient/")
            stored = storage_id(audience, "Patient", shown)
            found = patient_shown(session, audience.number, stored, shown)
            if found is not None:
                names |= names_in_rows(session, with_merged(session, found))
        return frozenset(names)

    return context.database.read(work)


def _within(asked: Asked, name: str, value: str) -> Asked:
    moment = searched_moment(name, value)
    low, high = id_of(moment.low), id_of(moment.high + 1000)
    if moment.prefix in {"ge", "gt", "sa"}:
        first = low if moment.prefix == "ge" else high
        return replace(asked, since=max(first, asked.since or ""))
    if moment.prefix in {"le", "lt", "eb"}:
        last = high if moment.prefix == "le" else low
        return replace(asked, before=min(last, asked.before or LATEST))
    if moment.prefix == "eq":
        since, before = max(low, asked.since or ""), min(high, asked.before or LATEST)
        return replace(asked, since=since, before=before)
    raise InvalidError("takes the prefixes eq, ge, gt, sa, le, lt and eb", element=name)


def _size(context: Context, pairs: Pairs) -> int:
    endpoint = context.endpoint
    for name, value in pairs:
        if name == "_count":
            if not value.isascii() or not value.isdigit() or len(value) > 9:  # noqa: PLR2004
                raise InvalidError("must be a number", element=name)
            return min(max(int(value), 1), endpoint.page_limit)
    return endpoint.page_size
