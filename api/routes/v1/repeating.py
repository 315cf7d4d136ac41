"""A POST that is sent again with its `Idempotency-Key` gets the answer that it got (ADR 0024).

https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
"""

import inspect
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any
from uuid import UUID

import orjson
from anyio import from_thread
from fastapi import Response
from sqlmodel import Session
from starlette.requests import Request

from api.routes.v1.calls import Call
from service import idempotency
from service.clock import microseconds
from service.errors import ConflictError, InvalidError
from service.idempotency import HEADER, LIFETIME, RequestKey, request_key

Endpoint = Callable[..., Response]

PRINTABLE = re.compile(r"[\x20-\x7e]{1,255}")
RULE = "must be 1 to 255 printable ASCII characters, sent once"
REPLAYED = "Idempotency-Replayed"
EXECUTED = b"executed"
TOLD = (
    "this request was executed; its answer holds a secret, is told once and kept nowhere: read what"
    " it made, and ask for another secret where this one is lost"
)


def repeatable(endpoint: Endpoint, *, told_once: bool = False) -> Endpoint:
    """Return the endpoint as one that is executed once for each key.

    With a key the endpoint itself runs in the unit of work, so that the change and the answer to
    it are kept together or not at all. An answer with a secret is `told_once` and not kept: sent
    again, the request is refused as executed.
    """
    if "call" not in inspect.signature(endpoint).parameters or inspect.iscoroutinefunction(
        endpoint
    ):
        raise TypeError(f"{endpoint.__name__} is to be a plain function that takes a `call`")

    @wraps(endpoint)
    def once(**given: Any) -> Response:  # noqa: ANN401 - what the endpoint takes
        call: Call = given["call"]
        key = key_of(call)
        if key is None:
            return endpoint(**given)
        until = microseconds(call.context.clock()) + LIFETIME
        kept = Kept(key, until, people(call), told_once)
        return answer_once(call, kept, lambda within: endpoint(**{**given, "call": within}))

    return once


def key_of(call: Call) -> RequestKey | None:
    """Return the key that the request came with, bound to its client and to what it asks."""
    sent = call.request.headers.getlist(HEADER)
    if not sent:
        return None
    if len(sent) > 1 or not PRINTABLE.fullmatch(sent[0]):
        raise InvalidError(RULE, element=HEADER)
    asked = _asked(call.request, from_thread.run(call.request.body))
    return request_key(call.context.key, call.access.client_id, sent[0], asked)


def _asked(request: Request, body: bytes) -> bytes:
    """Return what makes two requests the same: order of fields and spaces are not part of it."""
    with suppress(orjson.JSONDecodeError):
        body = orjson.dumps(orjson.loads(body), option=orjson.OPT_SORT_KEYS)
    address = f"{request.method} {request.url.path}?{request.url.query}"
    return address.encode() + b"\n" + body


@dataclass(frozen=True)
class Kept:
    """How an answer is kept: under which key, until when, about whom beside these, and if whole."""

    key: RequestKey
    until: int
    noted: frozenset[str]
    told_once: bool = False


def answer_once(call: Call, kept: Kept, ask: Callable[[Call], Response]) -> Response:
    """Return the kept answer, else the one to a call in a unit of work, which keeps it."""
    database, key = call.context.database, kept.key

    def replay(session: Session) -> Response | None:
        found = idempotency.kept(session, key, microseconds(database.clock()))
        if found == EXECUTED:
            raise ConflictError(TOLD, element=HEADER)
        return _unpacked(call, found) if found else None

    def work(session: Session) -> Response:
        if (known := replay(session)) is not None:
            return known
        answer = ask(replace(call, session=session))
        about = people(call) - kept.noted
        packed = EXECUTED if kept.told_once else _packed(answer, about)
        idempotency.keep(session, key, packed, kept.until)
        return answer

    return database.read(replay) or database.unit_of_work(work, key.aggregate)


def people(call: Call) -> frozenset[str]:
    """Return the keys of those whom the call was about so far."""
    return frozenset(getattr(call.request.state, "patients", None) or ())


def _packed(answer: Response, about: Iterable[str]) -> bytes:
    """Return an answer as it is kept, with whom it is about, for the audit row of its replay."""
    headers = {name.decode("latin-1"): each.decode("latin-1") for name, each in answer.raw_headers}
    body = bytes(answer.body).decode("latin-1")
    kept = {"status": answer.status_code, "headers": headers, "body": body, "people": list(about)}
    return orjson.dumps(kept)


def _unpacked(call: Call, kept: bytes) -> Response:
    found = orjson.loads(kept)
    call.about(UUID(hex=each) for each in found["people"])
    body = found["body"].encode("latin-1")
    return Response(body, found["status"], {**found["headers"], REPLAYED: "true"})
