"""One call of `/v1`: who asks, what is read or executed, and how the answer is put together.

https://www.rfc-editor.org/rfc/rfc9110
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Depends, Request, Response
from fastapi.dependencies.models import Dependant
from sqlmodel import Session
from sqlmodel.sql.expression import SelectOfScalar

from api.context import Context
from api.dependencies import V1Admin, V1Coordinate, V1Read, V1Write
from api.routes.v1.paging import Paging, rows_after
from api.routes.v1.preconditions import etag, is_known
from api.routes.v1.schema import Page, RowOut, Schema
from service.access import Access
from service.database import read_within
from service.errors import InvalidError
from service.handlers import execute, execute_within
from service.models.aggregates import Aggregate
from service.models.base import Row
from service.rows import get

T = TypeVar("T")
R = TypeVar("R", bound=Row)

JSON = "application/json"
CREATED = 201
NOT_MODIFIED = 304


@dataclass(frozen=True)
class Call:
    """A request with the caller's access and what it runs on.

    With a `session` the whole call is part of one unit of work, and may be made again (ADR 0024).
    """

    request: Request
    context: Context
    access: Access
    session: Session | None = None

    def read(self, work: Callable[[Session], T]) -> T:
        if self.session is not None:
            return read_within(self.session, work)
        return self.context.database.read(work)

    def execute(self, command: object) -> Any:  # noqa: ANN401 - each command has its result
        if self.session is not None:
            return execute_within(self.session, self.context.database, command)
        return execute(self.context.database, command)

    def unit_of_work(self, work: Callable[[Session], T], *named: Aggregate) -> T:
        """Run what has no command; routes never ask the database itself for one."""
        if self.session is not None:
            self.context.database.lock(self.session, *named)
            return work(self.session)
        return self.context.database.unit_of_work(work, *named)

    def by(self, named: str | None) -> str:
        """Return on whose behalf this is done: the person named, else the client."""
        return named or self.access.client

    def about(self, patients: Iterable[UUID | None]) -> None:
        """Note in the audit row that these people were read or changed."""
        known = getattr(self.request.state, "patients", None) or set()
        self.request.state.patients = known | {each.hex for each in patients if each}

    def address(self, path: str) -> str:
        return self.context.settings.public_base_url + path


async def _reading(request: Request, access: V1Read) -> Call:
    await _settle(request)
    return _call(request, access)


async def _writing(request: Request, access: V1Write) -> Call:
    await _settle(request)
    return _call(request, access)


async def _overseeing(request: Request, access: V1Coordinate) -> Call:
    await _settle(request)
    return _call(request, access)


async def _coordinating(request: Request, access: V1Coordinate) -> Call:
    await _settle(request)
    return _call(request, access)


async def _administering(request: Request, access: V1Admin) -> Call:
    return _call(request, access)


Reading = Annotated[Call, Depends(_reading)]
Writing = Annotated[Call, Depends(_writing)]
# For the coordinator alone: what only reads, and what changes something.
Overseeing = Annotated[Call, Depends(_overseeing)]
Coordinating = Annotated[Call, Depends(_coordinating)]


async def _settle(request: Request) -> None:
    """Let offers expire and holds end before anything is answered (ADR 0022)."""
    context: Context = request.app.state.context
    await context.endpoint.settle()


# What it answers may hold a secret: it is never kept for a repeated request.
Administering = Annotated[Call, Depends(_administering)]


def _call(request: Request, access: Access) -> Call:
    _refuse_unknown_parameters(request)
    call = Call(request, request.app.state.context, access)
    if (named := request.path_params.get("patient_id")) is not None:
        call.about(_ids(named))
    return call


def _ids(text: str) -> list[UUID]:
    try:
        return [UUID(text)]
    except ValueError:
        return []  # the route's own check says what is wrong with it


def _refuse_unknown_parameters(request: Request) -> None:
    """Raise InvalidError for a parameter that would otherwise be ignored without a word."""
    known = set(_query_names(request.scope["route"].dependant))
    for name in request.query_params:
        if name not in known:
            allowed = f"known are {', '.join(sorted(known))}" if known else "this takes none"
            raise InvalidError(f"no such parameter; {allowed}", element=name[:100])


def _query_names(dependant: Dependant) -> list[str]:
    below = [name for each in dependant.dependencies for name in _query_names(each)]
    return [field.alias for field in dependant.query_params] + below


def answer(call: Call, body: Schema, version: int, *, location: str | None = None) -> Response:
    """Return one resource with its ETag, or 304 where the caller has this version."""
    headers = {"ETag": etag(version), "Cache-Control": "no-store"}
    if location is not None:
        headers["Location"] = call.address(location)
        return _json(body, headers, CREATED)
    known = is_known(call.request.headers.get("if-none-match"), version)
    if known and call.request.method in {"GET", "HEAD"}:
        return Response(status_code=NOT_MODIFIED, headers=headers)
    return _json(body, headers)


def _json(body: Schema, headers: dict[str, str], status: int = 200) -> Response:
    return Response(body.model_dump_json(by_alias=True), status, headers, JSON)


def show(
    call: Call, out: type[RowOut], table: type[Row], row_id: UUID, *, created: str | None = None
) -> Response:
    """Return one row; `created` is the collection in which it has just been made."""
    item = call.read(lambda session: out.of_rows(session, [get(session, table, row_id)])[0])
    call.about(item.people)
    location = f"/v1/{created}/{row_id}" if created else None
    return answer(call, item, item.version, location=location)


def show_list(call: Call, page: type[Page], found: tuple[list[Any], str | None]) -> Response:
    """Return items that were read, with the address of the next page."""
    items, cursor = found
    headers = {"Cache-Control": "no-store"}
    following = _next(call, cursor) if cursor else None
    if following:
        headers["Link"] = f'<{following}>; rel="next"'
    return _json(page.model_validate({"items": items, "next": following}), headers)


def _next(call: Call, cursor: str) -> str:
    query = urlencode({**call.request.query_params, "cursor": cursor})
    return call.address(f"{call.request.url.path}?{query}")


def show_rows(
    call: Call,
    page: type[Page],
    out: type[RowOut],
    select: tuple[SelectOfScalar[R], type[R], Paging],
    *,
    within: tuple[type[Row], UUID] | None = None,
) -> Response:
    """Return one page of rows; those `within` another row are 404 where there is none."""

    def work(session: Session) -> tuple[list[RowOut], str | None]:
        if within is not None:
            get(session, *within)
        rows, cursor = rows_after(session, *select)
        return list(out.of_rows(session, rows)), cursor

    items, cursor = call.read(work)
    call.about(each for item in items for each in item.people)
    return show_list(call, page, (items, cursor))
