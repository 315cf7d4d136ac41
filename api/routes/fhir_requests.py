"""What the routes of /fhir share: reading a request, and the answers that several give.

https://hl7.org/fhir/R4/http.html
"""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from api.context import Context
from api.responses import FhirResponse, refusal
from service.fhir.endpoint import Answer

LARGEST = 1_000_000
HISTORY = "_history"  # no id begins so
SEARCH = "_search"
FORM = "application/x-www-form-urlencoded"

Interaction = Callable[[Request, Context], Awaitable[Response]]


def query_of(request: Request) -> str:
    raw: bytes = request.scope["query_string"]
    return raw.decode("latin-1")


def told(request: Request, answer: Answer) -> Response:
    request.state.patients = answer.patients
    return FhirResponse(answer)


async def body_of(request: Request, largest: int = LARGEST) -> bytes | None:
    """Return the body, or None where it is longer than is taken; an answer made anew has it."""
    kept: bytes | None = request.scope["state"].get("body")
    if kept is not None:
        return kept
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > largest:
            return None
        chunks.append(chunk)
    body = request.scope["state"]["body"] = b"".join(chunks)
    return body


def not_acceptable() -> Response:
    return refusal(406, "not-supported", "only JSON is answered: application/fhir+json")


def too_large(largest: int = LARGEST, what: str = "a resource") -> Response:
    return refusal(413, "too-long", f"{what} may have {largest} bytes")
