"""FHIR history-system interaction: what became of all resources (ADR 0007).

https://hl7.org/fhir/R4/http.html#history
"""

from service.access import Access
from service.errors import ForbiddenError
from service.fhir.endpoint import Answer, Endpoint
from service.fhir.history_pages import history_page
from service.fhir.search_plan import Pairs


async def history_system(
    endpoint: Endpoint, access: Access, pairs: Pairs, *, strict: bool = False
) -> Answer:
    """Return one page of the versions of every type that the token may read, newest first."""
    kinds = [kind for kind in endpoint.registry.types if access.may(kind.name, "r")]
    if not kinds:
        raise ForbiddenError("the token grants reading no type of resource")
    path = f"{endpoint.base}/_history"
    return await history_page(endpoint, access, path, kinds, pairs=pairs, strict=strict)
