"""POST /fhir: a batch or a transaction; its reads are answered by the routes that others ask.

https://hl7.org/fhir/R4/http.html#transaction
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import unquote

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Router

from api.context import Context
from api.dependencies import access_of
from api.errors import status_of
from api.negotiation import accepts_json, is_json, pairs_of, returned
from api.performing import perform
from api.responses import FhirResponse, refusal
from api.routes.fhir_requests import body_of, not_acceptable, query_of, too_large
from fhir_mappings import operation_outcome
from service.errors import AlongsideError, BusinessRuleError, NotFoundError
from service.fhir.bundle_answers import EntryAnswer, bundle_response
from service.fhir.bundle_entries import Entry, SentBundle, read_bundle
from service.fhir.bundle_errors import EntryError, located
from service.fhir.changes import Sender
from service.fhir.endpoint import Answer
from service.fhir.interactions.batch import batch
from service.fhir.interactions.transaction import transaction

LARGEST_BUNDLE = 20_000_000
LARGEST_ANSWER = 50_000_000  # bytes of what is read; a process has 160 MB
OWN = {"again", "body"}  # of the whole Bundle
FORWARDED = {"ifNoneMatch": b"if-none-match", "ifModifiedSince": b"if-modified-since"}

Told = EntryAnswer | EntryError | None


async def execute(request: Request, context: Context) -> Response:
    """Carry out the Bundle in the body."""
    access = await access_of(request, context)
    if not is_json(request):
        return refusal(415, "not-supported", "send application/fhir+json")
    if not accepts_json(request, pairs_of(query_of(request))):
        return not_acceptable()
    body = await body_of(request, LARGEST_BUNDLE)
    if body is None:
        return too_large(LARGEST_BUNDLE, "a Bundle")
    sender = Sender(context.endpoint, context.writing, access)
    await context.endpoint.settle()
    prefer = returned(request, "minimal")
    sent, told = await perform(context, lambda: _written(sender, body, prefer), body, seeks=False)
    again = partial(_again, context=context, sent=sent, told=[_bare(each) for each in told])
    request.scope["state"]["again"] = again
    return await _respond(request, sent, told)


async def _again(
    request: Request, *, context: Context, sent: SentBundle, told: list[Told]
) -> Response:
    """Answer what was written already, without what was shown of it, and read anew."""
    await access_of(request, context)
    return await _respond(request, sent, told)


def _bare(told: Told) -> Told:
    return replace(told, resource=b"") if isinstance(told, EntryAnswer) else told


async def _respond(request: Request, sent: SentBundle, told: list[Told]) -> Response:
    answers = await _with_reads(request, sent.entries, told)
    patients = {key for answer in answers for key in answer.patients}
    request.state.patients = patients
    content = bundle_response(sent.type, answers)
    return FhirResponse(Answer(200, content, patients=patients))


def _written(sender: Sender, body: bytes, prefer: str) -> tuple[SentBundle, list[Told]]:
    sent = read_bundle(body, sender.endpoint.base)
    if sent.type == "batch":
        return sent, batch(sender, sent.entries, prefer=prefer)
    return sent, [*transaction(sender, sent.entries, prefer=prefer)]


async def _with_reads(
    request: Request, entries: Iterable[Entry], told: Iterable[Told]
) -> list[EntryAnswer]:
    """Answer what is to be read, too; what was refused becomes an OperationOutcome."""
    answers: list[EntryAnswer] = []
    size = 0
    for entry, found in zip(entries, told, strict=True):
        answer = found
        if answer is None and size > LARGEST_ANSWER:
            answer = located(entry, BusinessRuleError("the answers before it are too large"))
        if answer is None:
            answer = await _read(request, entry)
        if isinstance(answer, EntryError):
            answer = refused(answer)
        size += len(answer.resource)
        answers.append(answer)
    return answers


def refused(error: EntryError) -> EntryAnswer:
    """Return the answer to an entry that was not carried out."""
    content = operation_outcome.from_error(error)
    return EntryAnswer(status_of(error), outcome=orjson.dumps(content))


async def _read(request: Request, entry: Entry) -> EntryAnswer:
    """Let the route of the entry's address answer it, as if it was asked by itself."""
    scope = _scope(request, entry)
    router: Router = request.scope["router"]
    for route in router.routes:
        found, more = route.matches(scope)
        if found is Match.FULL and more["endpoint"].within_bundles:
            inner = Request({**scope, **more})
            response = await more["endpoint"].answer(inner)
            if decision := inner.scope["state"].get("decision"):
                request.state.decision = decision
            return _answered(entry, inner, response)
    error: AlongsideError = NotFoundError("there is nothing at this address")
    return refused(located(entry, error))


def _scope(request: Request, entry: Entry) -> dict[str, Any]:
    path, _, query = entry.url.partition("?")
    kept = (b"authorization", b"prefer", b"user-agent")
    headers = [each for each in request.scope["headers"] if each[0] in kept]
    headers += [
        (name, entry.asked[asked].encode())
        for asked, name in FORWARDED.items()
        if asked in entry.asked
    ]
    return {
        **request.scope,
        "method": entry.method,
        "path": unquote(f"/fhir/{path}" if path else "/fhir"),
        "query_string": query.encode(),
        "headers": headers,
        "path_params": {},
        "state": {k: v for k, v in request.scope["state"].items() if k not in OWN},
    }


def _answered(entry: Entry, inner: Request, response: Response) -> EntryAnswer:
    status, content = response.status_code, bytes(response.body)
    etag = response.headers.get("etag", "")
    version = etag.removeprefix("W/").strip('"')
    is_right = status < 400  # noqa: PLR2004
    return EntryAnswer(
        status,
        int(version) if version.isdecimal() else 0,
        resource=content if is_right and entry.method == "GET" else b"",
        outcome=b"" if is_right else content,
        patients=(inner.scope["state"].get("patients") or ()) if is_right else (),
    )
