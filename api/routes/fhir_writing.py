"""/fhir, writing: each address and method led to its interaction, in a thread.

https://hl7.org/fhir/R4/http.html
"""

from collections.abc import Callable

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response

from api.context import Context
from api.dependencies import access_of
from api.negotiation import accepts_json, is_json, pairs_of, returned, versions
from api.responses import refusal
from api.routes.fhir_requests import body_of, not_acceptable, query_of, told, too_large
from service.errors import InvalidError
from service.fhir.endpoint import Answer
from service.fhir.interactions.create import create
from service.fhir.interactions.update import update


async def create_resource(request: Request, context: Context) -> Response:
    access = await access_of(request, context)
    if "if-none-exist" in request.headers:
        raise InvalidError("conditional create is not offered here", element="If-None-Exist")
    return await write(
        request,
        context,
        lambda body: create(
            context.endpoint,
            context.writing,
            access,
            request.path_params["type"],
            body=body,
            prefer=returned(request),
        ),
    )


async def update_resource(request: Request, context: Context) -> Response:
    access = await access_of(request, context)
    where = request.path_params
    if_match = versions(request, "If-Match")
    return await write(
        request,
        context,
        lambda body: update(
            context.endpoint,
            context.writing,
            access,
            (where["type"], where["id"]),
            body=body,
            if_match=if_match,
            prefer=returned(request),
        ),
    )


async def write(
    request: Request, context: Context, interaction: Callable[[bytes], Answer]
) -> Response:
    if not accepts_json(request, pairs_of(query_of(request))):
        return not_acceptable()
    if not is_json(request):
        return refusal(415, "not-supported", "send application/fhir+json")
    body = await body_of(request)
    if body is None:
        return too_large()
    await context.endpoint.settle()
    return told(request, await to_thread.run_sync(interaction, body, limiter=context.writers))
