"""FHIR search-system interaction: one page over several types, or all that may be searched.

https://hl7.org/fhir/R4/http.html#search
"""

from service.access import Access
from service.fhir.endpoint import Answer, Endpoint
from service.fhir.search_plan import Pairs
from service.fhir.searchset import searchset
from service.fhir.several_types import asked_types, plans_of


async def search_system(
    endpoint: Endpoint, access: Access, pairs: Pairs, *, strict: bool = False
) -> Answer:
    """Return one page."""
    kinds = asked_types(endpoint, access, pairs, list(endpoint.registry.by_type))
    plans = plans_of(endpoint, access, kinds, pairs, strict=strict)
    return await searchset(endpoint, access, endpoint.base, plans)
