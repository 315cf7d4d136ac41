"""FHIR search-type interaction: one page of a searchset.

https://hl7.org/fhir/R4/http.html#search
"""

from collections.abc import Sequence

from service.access import Access
from service.fhir.endpoint import Answer, Endpoint, require, served
from service.fhir.search_parameters import read_query
from service.fhir.searchset import searchset

Pairs = Sequence[tuple[str, str]]


async def search_type(
    endpoint: Endpoint, access: Access, name: str, pairs: Pairs, *, strict: bool = False
) -> Answer:
    """Return one page; a parameter that is not supported is refused when strict, else reported."""
    kind = served(endpoint.registry, name)
    require(access, name, "s")
    plan = read_query(kind, pairs, endpoint.rules(access), strict=strict)
    return await searchset(endpoint, access, f"{endpoint.base}/{name}", [plan])
