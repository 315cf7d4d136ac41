"""One page of a searchset: what plans find, what that brings along, and the way to the next page.

Pages are walked by keyset, so what does not move is met once; what comes after the first page
stays out of the others. Only the first says a total, if any: a later one would have to count again,
or tell what has since been taken away. https://hl7.org/fhir/R4/http.html#paging
"""

from collections.abc import Sequence

import orjson

from service.access import Access
from service.errors import InvalidError, Problem
from service.fhir.bundle_bytes import bundle, entry, link, remark
from service.fhir.endpoint import Answer, Endpoint
from service.fhir.includes import MOST, Brought, authorised
from service.fhir.outcome import warnings
from service.fhir.paging import Place, address, next_link, opened, query_string
from service.fhir.presentation import shaped
from service.fhir.rosters import ROSTER, members
from service.fhir.search import WIDTH, Bounds, Found, count_statement, pages_statement
from service.fhir.search_drivers import driven
from service.fhir.search_plan import Plan, Shape
from service.fhir.search_values import Condition
from service.fhir.store_reader import Rows

MIXED = "cannot stand beside _summary=text"
LEFT_OUT = "more would come along than the 1,000 of a page: ask for them by a search of their own"


async def searchset(endpoint: Endpoint, access: Access, path: str, plans: Sequence[Plan]) -> Answer:
    """Return one page of what the plans, one for each type, find; `path` is the search's address.

    All of them have the same page size, order, controls and cursor.
    """
    plan = plans[0]
    if plan.includes and plan.shape.summary == "text":
        raise InvalidError(MIXED, element="_include")
    authorised(plan.includes, access, endpoint.registry.by_type)
    target = address(path, query_string(plan.used))
    place = opened(endpoint.link_key, access, target, plan.cursor) if plan.cursor else None
    await endpoint.settle()
    bounds = await _bounds(endpoint, access, plan, place)
    plans = [await driven(endpoint.reader, each) for each in plans]
    sought = [(each, endpoint.audiences(each.kind.name, access)) for each in plans]
    total = None if place else await _total(endpoint, sought, bounds)
    rows: Rows = []
    if not plan.count_only:
        rows = await endpoint.reader.rows(*pages_statement(sought, bounds))
    links = [link("self", target)]
    if len(rows) > plan.size:
        rows = rows[: plan.size]
        until = await endpoint.moment() if bounds.until is None else bounds.until
        after = Place((*rows[-1][WIDTH:], rows[-1][0]), until)
        links.append(link("next", next_link(endpoint.link_key, access, target, after)))
    matches = [Found(*row[:WIDTH]) for row in rows]
    return await _answer(endpoint, access, plan, matches, links=links, total=total)


async def _bounds(endpoint: Endpoint, access: Access, plan: Plan, place: Place | None) -> Bounds:
    if place is not None:
        return Bounds(access.limits, place.values, place.until)
    return Bounds(access.limits, until=await endpoint.reader.horizon() if plan.timed else None)


async def _total(
    endpoint: Endpoint, sought: Sequence[tuple[Plan, Sequence[int]]], bounds: Bounds
) -> int | None:
    total = 0
    for plan, where in sought:
        if not (plan.total or plan.count_only):
            return None
        ((count,),) = await endpoint.reader.rows(*count_statement(plan, where, bounds))
        total += int(count)
    return total


async def _answer(
    endpoint: Endpoint,
    access: Access,
    plan: Plan,
    matches: Sequence[Found],
    *,
    links: Sequence[bytes],
    total: int | None,
) -> Answer:
    brought = await _brought(endpoint, access, plan, matches)
    others = list(brought.found.values())
    entries = [
        *_entries(endpoint, b"match", matches, plan.shape),
        *_entries(endpoint, b"include", others, plan.shape),
    ]
    problems = plan.ignored
    if brought.left_out:
        name = "_revinclude" if all(each.reverse for each in plan.includes) else "_include"
        problems = (*problems, Problem(name, LEFT_OUT, "incomplete"))
    if problems:
        entries.append(remark(orjson.dumps(warnings(problems))))
    everything = [*matches, *others]
    shown = (each.content for each in everything)
    body = bundle("searchset", links, entries, total=total, shown=shown)
    return Answer(200, body, patients=await _patients(endpoint, access, everything))


async def _brought(
    endpoint: Endpoint, access: Access, plan: Plan, matches: Sequence[Found]
) -> Brought:
    """Return what comes along: what may be read or searched, each by its own scopes."""

    def limits(names: Sequence[str]) -> Condition | None:
        return endpoint.limits(access, names, "rs")

    brought = Brought(endpoint.reader, access, endpoint.registry.by_type, MOST, limits)
    if plan.includes:
        await brought.follow(matches, plan.includes)
    return brought


def _entries(endpoint: Endpoint, mode: bytes, found: Sequence[Found], shape: Shape) -> list[bytes]:
    """Return the entries of what was found; whole resources are never parsed."""
    base, forms = endpoint.base, endpoint.registry.forms
    if shape.whole:
        return [entry(mode, f"{base}/{one.type}/{one.shown}", one.content) for one in found]
    return [
        entry(mode, f"{base}/{one.type}/{one.shown}", shaped(one.content, shape, forms(one.type)))
        for one in found
    ]


async def _patients(endpoint: Endpoint, access: Access, found: Sequence[Found]) -> set[str]:
    """Return the keys of the patients whom the page tells of; a roster tells of its members."""
    keys = {each.patient_key for each in found if each.patient_key}
    rosters = [each.content for each in found if each.type == ROSTER]
    if rosters:
        keys |= await members(endpoint.reader, access, rosters)
    return keys
