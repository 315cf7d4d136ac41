"""FHIR history-type interaction: what became of the resources of one type (ADR 0007).

https://hl7.org/fhir/R4/http.html#history
"""

from service.access import Access
from service.fhir.endpoint import Answer, Endpoint, require, served
from service.fhir.history_pages import history_page
from service.fhir.search_plan import Pairs


async def history_type(
    endpoint: Endpoint, access: Access, name: str, pairs: Pairs, *, strict: bool = False
) -> Answer:
    """Return one page of the versions, newest first."""
    kind = served(endpoint.registry, name)
    require(access, name, "r")
    path = f"{endpoint.base}/{name}/_history"
    return await history_page(endpoint, access, path, [kind], pairs=pairs, strict=strict)
