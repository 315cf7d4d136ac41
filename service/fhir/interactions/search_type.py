"""FHIR search-type interaction: one page of a searchset.

https://hl7.org/fhir/R4/http.html#search
"""

from collections.abc import Sequence
from dataclasses import replace

import orjson

from service.access import Access
from service.fhir.bundle_bytes import bundle, link, match, remark
from service.fhir.endpoint import Answer, Endpoint, require, served
from service.fhir.outcome import warnings
from service.fhir.paging import address, next_link, opened, query_string
from service.fhir.rosters import ROSTER, members
from service.fhir.search import Key, count_statement, page_statement
from service.fhir.search_parameters import read_query
from service.fhir.search_plan import Plan
from service.fhir.store_reader import Rows

Pairs = Sequence[tuple[str, str]]


async def search_type(
    endpoint: Endpoint, access: Access, name: str, pairs: Pairs, *, strict: bool = False
) -> Answer:
    """Return one page; a parameter that is not supported is refused when strict, else reported."""
    kind = served(endpoint.registry, name)
    require(access, name, "s")
    plan = read_query(kind, pairs, endpoint.rules(), strict=strict)
    target = address(f"{endpoint.base}/{name}", query_string(plan.used))
    after = plan.cursor and opened(endpoint.link_key, access, target, plan.cursor)
    await endpoint.settle()
    horizon = await endpoint.reader.horizon() if plan.timed else None
    total = await _total(endpoint, access, plan, horizon)
    rows: Rows = []
    if not plan.count_only:
        where = endpoint.audiences(name, access)
        statement = page_statement(
            plan, where, ceiling=access.ceiling, after=after or None, horizon=horizon
        )
        rows = await endpoint.reader.rows(*statement)
    links = [link("self", target)]
    if len(rows) > plan.size:
        rows = rows[: plan.size]
        place = Key(rows[-1][1], rows[-1][0])
        links.append(link("next", next_link(endpoint.link_key, access, target, place)))
    found = _answer(f"{endpoint.base}/{name}/", plan, links, rows, total)
    if name == ROSTER:
        listed = await members(endpoint.reader, access, [row[2] for row in rows])
        return replace(found, patients=listed)
    return found


async def _total(endpoint: Endpoint, access: Access, plan: Plan, horizon: int | None) -> int | None:
    if not (plan.total or plan.count_only):
        return None
    where = endpoint.audiences(plan.kind.name, access)
    statement = count_statement(plan, where, ceiling=access.ceiling, horizon=horizon)
    ((count,),) = await endpoint.reader.rows(*statement)
    return int(count)


def _answer(
    prefix: str, plan: Plan, links: Sequence[bytes], rows: Rows, total: int | None
) -> Answer:
    start = prefix.encode()
    entries = [match(start, row[0], row[2]) for row in rows]
    if plan.ignored:
        entries.append(remark(orjson.dumps(warnings(plan.ignored))))
    rank = max((row[4] for row in rows), default=None)
    body = bundle("searchset", links, entries, total=total, rank=rank)
    return Answer(200, body, patients={row[3] for row in rows if row[3]})
