"""Answers on /fhir: bytes with the headers that FHIR asks for.

https://hl7.org/fhir/R4/http.html#mime-type
"""

from email.utils import formatdate

import orjson
from starlette.responses import Response

from service.fhir.endpoint import Answer
from service.fhir.outcome import issue, outcome
from service.fhir.presentation import pretty

FHIR_JSON = "application/fhir+json"
_TYPE = (b"content-type", FHIR_JSON.encode())
_PRIVATE = (b"cache-control", b"no-store")


class FhirResponse(Response):
    """A response whose headers are written once, as bytes."""

    media_type = FHIR_JSON

    def __init__(self, answer: Answer) -> None:
        self.status_code = answer.status
        self.background = None
        self.body = answer.body
        headers = [_TYPE, _PRIVATE] if answer.body else [_PRIVATE]
        headers.append((b"content-length", str(len(answer.body)).encode()))
        if answer.version:
            headers.append((b"etag", b'W/"%d"' % answer.version))
        if answer.last_updated:
            stamp = formatdate(answer.last_updated // 1_000_000, usegmt=True)
            headers.append((b"last-modified", stamp.encode()))
        if answer.location:
            headers.append((b"location", answer.location.encode("latin-1")))
        self.raw_headers = headers


def not_modified(answer: Answer) -> Response:
    """Return 304: the caller has this version."""
    headers = {
        "ETag": f'W/"{answer.version}"',
        "Last-Modified": formatdate(answer.last_updated // 1_000_000, usegmt=True),
        "Cache-Control": "no-store",
    }
    return Response(None, 304, headers)


def laid_out(response: Response) -> None:
    """Lay the JSON of a response out for people."""
    body = getattr(response, "body", b"")
    if body:
        response.body = pretty(body)
        response.headers["content-length"] = str(len(response.body))


def refusal(status: int, code: str, text: str) -> Response:
    """Return an OperationOutcome for what HTTP itself forbids."""
    content = orjson.dumps(outcome(issue("error", code, text)))
    return Response(content, status, media_type=FHIR_JSON)
