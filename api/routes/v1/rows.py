"""A bulk request: each row is a request of its own, with its transaction and its result.

The answer is 200 with a result for each row, whatever they are: 207 belongs to WebDAV, and a
client would have to read the results all the same (ADR 0024).
https://www.rfc-editor.org/rfc/rfc9457
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import orjson
from fastapi import Response
from pydantic import Field, ValidationError
from sqlmodel import Session

from api.errors import problem, problem_of_fields
from api.routes.v1.calls import JSON, Call
from api.routes.v1.repeating import REPLAYED, Kept, answer_once, key_of, people
from api.routes.v1.response_schemas import AlertNotice
from api.routes.v1.schema import Schema
from service import idempotency
from service.clock import microseconds
from service.errors import (
    AlongsideError,
    BusyError,
    NotFoundError,
    ProjectionError,
)
from service.idempotency import RequestKey

MOST_ROWS = 500
SECONDS = 60.0
REFUSED, BUSY = 400, 503
LATE = "not tried, since the rows before it took too long; send the request again"

Given = dict[str, Any]
Ask = Callable[..., Response]  # of a call and a `row`


class RowResult(Schema):
    row: int = Field(description="Which row, counted from 0", examples=[0])
    status: int = Field(description="The status that it would have had alone", examples=[201])
    id: UUID | None = Field(
        default=None,
        description="Of what was made",
        examples=["0199b7c2-6c1f-7a53-9d3e-5b8f0c2a4e61"],
    )
    version: int | None = Field(default=None, description="Of what was made", examples=[1])
    alert: AlertNotice | None = Field(
        default=None,
        description="The safety alert that a response has raised; never to be passed over",
        examples=[None],
    )
    problem: dict[str, Any] | None = Field(
        default=None,
        description="Why it was refused, as RFC 9457 has it; `errors` names rows[0].birth_date",
        examples=[None],
    )


class Results(Schema):
    results: list[RowResult] = Field(
        description="One for each row, in their order", examples=[[RowResult.example()]]
    )


@dataclass(frozen=True)
class Bulk:
    """One bulk request; with a key, each row's answer is kept until the same moment."""

    call: Call
    key: RequestKey | None
    until: int

    def kept(self, number: int) -> Kept | None:
        """Return how the answer to this row is kept, if it is."""
        if self.key is None:
            return None
        return Kept(self.key.row(number), self.until, people(self.call))

    def answer(self, kept: Kept | None, ask: Callable[[Call], Response]) -> Response:
        """Return the answer to one row, executed now or before."""
        return ask(self.call) if kept is None else answer_once(self.call, kept, ask)


def answer_rows(call: Call, rows: list[Given], ask: Ask, *, addressed: str = "") -> Response:
    """Return a result for each row; what is not found there is what `addressed` names."""
    bulk, began = _bulk(call), time.monotonic()
    answers = []
    for number, row in enumerate(rows):
        if time.monotonic() - began > SECONDS:
            answers.append(problem(BusyError(LATE), within=f"rows[{number}]"))
        else:
            answers.append(_answer(bulk, number, partial(ask, row=row), addressed))
    results = Results(results=[_result(number, each) for number, each in enumerate(answers)])
    headers = {"Cache-Control": "no-store"}
    if all(REPLAYED in each.headers for each in answers):
        headers[REPLAYED] = "true"
    return Response(results.model_dump_json(by_alias=True), 200, headers, JSON)


def _bulk(call: Call) -> Bulk:
    key = key_of(call)
    if key is None:
        return Bulk(call, None, 0)

    def work(session: Session) -> int:
        return idempotency.claim(session, key, microseconds(call.context.database.clock()))

    return Bulk(call, key, call.unit_of_work(work, key.aggregate))


def _answer(bulk: Bulk, number: int, ask: Callable[[Call], Response], addressed: str) -> Response:
    kept = bulk.kept(number)
    try:
        return bulk.answer(kept, ask)
    except ProjectionError:
        raise
    except (AlongsideError, ValidationError) as error:
        refused = _refusal(f"rows[{number}]", error, addressed)
    if refused.status_code == BUSY:  # it may be tried again, so that nothing is kept
        return refused
    return bulk.answer(kept, lambda _call: refused)


def _refusal(within: str, error: AlongsideError | ValidationError, addressed: str) -> Response:
    if isinstance(error, ValidationError):
        return problem_of_fields(error.errors(), within=within)
    if isinstance(error, NotFoundError) and addressed:
        within = f"{within}.{addressed}"
    return problem(error, within=within)


def _result(number: int, answer: Response) -> RowResult:
    found = orjson.loads(bytes(answer.body))
    if answer.status_code >= REFUSED:
        return RowResult(row=number, status=answer.status_code, problem=found)
    told = {name: found.get(name) for name in ("id", "version", "alert")}
    return RowResult(row=number, status=answer.status_code, **told)
