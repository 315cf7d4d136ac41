"""Notes for the audit row why a caller was not shown what is there, and whom it is about.

The caller is answered 404 like for what never was.
https://profiles.ihe.net/ITI/BALP/content.html
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import Request

from service.access import Access
from service.errors import NotFoundError
from service.fhir.endpoint import Endpoint
from service.fhir.hidden import withheld


@asynccontextmanager
async def noting(
    request: Request, endpoint: Endpoint, access: Access, name: str, document_id: str
) -> AsyncIterator[None]:
    """Leave in the request's state what hides the document, where it is not found within."""
    try:
        yield
    except NotFoundError:
        found = await withheld(endpoint, access, name, document_id)
        if found is not None:
            request.state.decision = found.decision
            request.state.patients = (found.patient,) if found.patient else ()
        raise
