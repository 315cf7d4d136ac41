"""/fhir, operations: addresses with a dollar sign led to what they name.

https://hl7.org/fhir/R4/operations.html
"""

from functools import partial

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response

from api.context import Context
from api.dependencies import access_of
from api.negotiation import accepts_json, is_json, is_strict, pairs_of
from api.responses import refusal
from api.routes.fhir_requests import (
    Interaction,
    body_of,
    not_acceptable,
    query_of,
    told,
    too_large,
)
from api.withholding import noting
from service.errors import InvalidError
from service.fhir.endpoint import Answer, absent, served
from service.fhir.identity import ID
from service.fhir.operations.break_glass import emergency, look_up
from service.fhir.operations.call import SILENT, Call, Inputs, inputs_of
from service.fhir.operations.execution import execute, operation
from service.fhir.operations.operation import Operation

Pairs = list[tuple[str, str]]

SMALL = 20_000  # bytes that are parsed while others wait


async def invoked(request: Request, context: Context) -> Response:
    """Answer what an operation answers."""
    access = await access_of(request, context)
    where = request.path_params
    kind, instance = where.get("type"), where.get("id")
    _require_address(context, kind, instance)
    is_get = request.method != "POST"
    found = operation(where["operation"], kind, instance=instance is not None, get=is_get)
    pairs = pairs_of(query_of(request))
    if not accepts_json(request, pairs):
        return not_acceptable()
    inputs = Inputs(tuple(pairs)) if is_get else await _sent(request, found, pairs)
    if isinstance(inputs, Response):
        return inputs
    call = Call(
        context.endpoint.seen_by(access),
        context.writing,
        access,
        type=str(kind),
        id=instance,
        inputs=inputs,
        strict=is_strict(request),
    )
    answer = await _executed(request, found, call)
    if found.changes:
        request.scope["state"]["again"] = partial(_again, context=context, answer=answer)
    return told(request, answer)


async def _executed(request: Request, found: Operation, call: Call) -> Answer:
    if call.id is None:
        return await execute(found, call)
    async with noting(request, call.endpoint, call.access, call.type, call.id):
        return await execute(found, call)


async def _again(request: Request, *, context: Context, answer: Answer) -> Response:
    """Say again what was done already, as long as the patient is still the caller's to see."""
    await look_up(context.endpoint, await access_of(request, context), request.path_params["id"])
    return told(request, answer)


async def _sent(request: Request, found: Operation, pairs: Pairs) -> Inputs | Response:
    """Return the parameters of a POST, or why there are none."""
    body = await body_of(request)
    if body is None:
        return too_large()
    if body.strip() and not is_json(request):
        return refusal(415, "not-supported", "send application/fhir+json")
    inputs = await _inputs(pairs, body, takes_resource="resource" in found.inputs)
    if found.changes:
        _require_body(pairs)
        request.state.purpose = emergency(inputs)
    return inputs


def _require_body(pairs: Pairs) -> None:
    """Raise InvalidError where parameters stand in the address, which is written down elsewhere."""
    if any(name not in SILENT for name, _ in pairs):
        raise InvalidError("send the parameters in the body, not in the address", element="query")


def _require_address(context: Context, kind: str | None, instance: str | None) -> None:
    """Raise NotFoundError where the type is not served, or the id can be none."""
    if kind is not None:
        served(context.registry, kind)
    if instance is not None and not ID.fullmatch(instance):
        raise absent(str(kind))


async def _inputs(pairs: Pairs, body: bytes, *, takes_resource: bool) -> Inputs:
    read = partial(inputs_of, pairs, body, takes_resource=takes_resource)
    return read() if len(body) <= SMALL else await to_thread.run_sync(read)


_METHODS: dict[str, Interaction] = {"GET": invoked, "POST": invoked}

# They stand before the addresses of types and instances, which would take the name for an id.
TABLE: dict[str, dict[str, Interaction]] = {
    "/fhir/${operation}": _METHODS,
    "/fhir/{type}/${operation}": _METHODS,
    "/fhir/{type}/{id}/${operation}": _METHODS,
}
