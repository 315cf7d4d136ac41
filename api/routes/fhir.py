"""/fhir: each address and method led to its interaction; bytes out.

https://hl7.org/fhir/R4/http.html
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from api import allowed, cors
from api.context import Context
from api.dependencies import access_of
from api.errors import fhir_error, unexpected
from api.fencing import answered
from api.responses import laid_out
from api.routes import fhir_audit, fhir_operations
from api.routes.fhir_bundles import execute
from api.routes.fhir_reading import (
    history_of_all,
    history_of_instance,
    metadata_of,
    read_instance,
    read_version,
    search,
    search_by_post,
    smart_configuration_of,
)
from api.routes.fhir_requests import Interaction
from api.routes.fhir_writing import (
    create_resource,
    delete_found,
    delete_resource,
    patch_found,
    patch_resource,
    update_found,
    update_resource,
)
from service.errors import AlongsideError, NotSupportedError, ProjectionError
from service.fhir.endpoint import absent, served

PRETTY = b"_pretty=true"
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def routes(context: Context) -> list[Route]:
    """Return the routes of the FHIR endpoint, those asked most first."""
    open_to_all = [cors.any_origin("GET")]
    metadata = Answering(_by_method({"GET": metadata_of(context)}), context, ("GET",))
    smart = AnsweringAlone(_by_method({"GET": smart_configuration_of(context)}), context, ("GET",))
    return [
        Route("/fhir/metadata", metadata, middleware=open_to_all),
        Route("/fhir/.well-known/smart-configuration", smart, middleware=open_to_all),
        *(
            Route(path, AnsweringAlone(_by_method(table), context, tuple(table)))
            for path, table in fhir_audit.TABLE.items()
        ),
        *(
            Route(path, Answering(_by_method(table), context, tuple(table)))
            for path, table in TABLE.items()
        ),
    ]


class Answering:
    """An ASGI endpoint: whatever goes wrong in its interaction becomes an OperationOutcome."""

    within_bundles = True

    def __init__(
        self, interaction: Interaction, context: Context, methods: tuple[str, ...]
    ) -> None:
        self.interaction = interaction
        self.context = context
        self.methods = methods

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        def lay_out(response: Response) -> None:
            if PRETTY in scope["query_string"]:
                laid_out(response)
            if scope["method"] == "HEAD":
                response.body = b""

        await answered(scope, receive, send, self.answer, lay_out)

    async def answer(self, request: Request) -> Response:
        """Return what is answered, to a request by itself or to one within a Bundle."""
        try:
            return await self.interaction(request, self.context)
        except ProjectionError as error:
            return await unexpected(request, error)
        except AlongsideError as error:
            return self._refused(request, error)
        except Exception as error:  # noqa: BLE001 - nobody expected it: it is recorded and answered
            return await unexpected(request, error)

    def _refused(self, request: Request, error: AlongsideError) -> Response:
        response = fhir_error(error)
        if isinstance(error, NotSupportedError):
            response.status_code = 405
            documented = self.context.fhir_addresses.methods(request.scope["path"])
            response.headers["Allow"] = allowed.header(documented or self.methods)
        return response


class AnsweringAlone(Answering):
    """What is no resource, and so no part of a Bundle."""

    within_bundles = False


def _by_method(table: dict[str, Interaction]) -> Interaction:
    async def dispatch(request: Request, context: Context) -> Response:
        method = request.scope["method"]
        found = table.get("GET" if method == "HEAD" else method)
        if found is not None:
            return await found(request, context)
        await access_of(request, context)
        if "type" in request.path_params:
            served(context.registry, request.path_params["type"])
        raise NotSupportedError(f"{method} is not offered here")

    return dispatch


async def _elsewhere(request: Request, context: Context) -> Response:
    await access_of(request, context)
    parts = request.url.path.split("/")
    raise absent(parts[2] if len(parts) > 2 and parts[2].isalpha() else "resource")  # noqa: PLR2004


TABLE: dict[str, dict[str, Interaction]] = {
    **fhir_operations.TABLE,
    "/fhir/{type}/{id}": {
        "GET": read_instance,
        "PUT": update_resource,
        "PATCH": patch_resource,
        "DELETE": delete_resource,
        "POST": search_by_post,
    },
    "/fhir/_search": {"POST": search_by_post},
    "/fhir/_history": {"GET": history_of_all},
    "/fhir/{type}": {
        "GET": search,
        "POST": create_resource,
        "PUT": update_found,
        "PATCH": patch_found,
        "DELETE": delete_found,
    },
    "/fhir/{type}/{id}/_history": {"GET": history_of_instance},
    "/fhir/{type}/{id}/_history/{version}": {"GET": read_version},
    "/fhir/{type}/{id}/{member}": {"GET": search},
    "/fhir/{type}/{id}/{member}/_search": {"POST": search_by_post},
    "/fhir": {"GET": search, "POST": execute},
    "/fhir/": {"GET": search},
    "/fhir/{rest:path}": dict.fromkeys(METHODS, _elsewhere),
}
