"""Who is calling: the access of a bearer token, for /fhir and /v1 alike.

https://www.rfc-editor.org/rfc/rfc6750
"""

from collections.abc import Sequence
from typing import Annotated, cast

from fastapi import Depends, Request, Security
from fastapi.security import OAuth2

from api.context import Context
from api.peers import certificate_of
from service.access import Access
from service.clock import microseconds
from service.errors import ForbiddenError
from service.smart.clients import hashed
from service.smart.limiting import counted
from service.smart.tokens import SELECT_ACCESS, access_of_row, sent_token

CLIENT_CREDENTIALS = OAuth2(
    flows={
        "clientCredentials": {
            "tokenUrl": "/oauth/token",
            "scopes": {
                "v1.read": "Read the programme's records",
                "v1.write": "Change them",
                "v1.coordinate": "For the coordinator: facilitators' load, credentials, concerns",
                "v1.admin": "Say who may call",
            },
        }
    },
    scheme_name="clientCredentials",
    auto_error=False,
)


async def access_of(request: Request, context: Context) -> Access:
    """Return the caller's access, remembered for its audit row.

    Raises:
        LoginError: no valid token.
    """
    token = sent_token(request.headers.get("authorization"))
    row = await _row_of(context, token, request.client.host if request.client else None)
    now = microseconds(context.clock())
    access = access_of_row(row, now, certificate_of(request.scope))
    request.scope.setdefault("state", {})["access"] = access
    return access


async def _row_of(context: Context, token: str, address: str | None) -> Sequence[object] | None:
    """Return what the token is worth: one of ours, or else of an issuer that we know."""
    token_hash = hashed(token)
    known = context.known_tokens.get(token_hash)
    if known is not None:
        return known
    asked = context.known_tokens.now()
    rows = await context.reader.rows(SELECT_ACCESS, (token_hash,))
    row: Sequence[object] | None = rows[0] if rows else None
    if row is None:
        found = await context.outside.find(token, token_hash, counted(address))
        if found is None:
            return None
        row, asked = found
    context.known_tokens.put(token_hash, row, asked)
    return row


def context_of(request: Request) -> Context:
    """Return what `api.bootstrap` built."""
    return cast("Context", request.app.state.context)


CurrentContext = Annotated[Context, Depends(context_of)]


async def v1_read(
    request: Request,
    context: CurrentContext,
    _scheme: Annotated[object, Security(CLIENT_CREDENTIALS, scopes=["v1.read"])],
) -> Access:
    return _programme(await access_of(request, context), "v1.read")


async def v1_write(
    request: Request,
    context: CurrentContext,
    _scheme: Annotated[object, Security(CLIENT_CREDENTIALS, scopes=["v1.write"])],
) -> Access:
    return _programme(await access_of(request, context), "v1.write")


async def v1_coordinate(
    request: Request,
    context: CurrentContext,
    _scheme: Annotated[object, Security(CLIENT_CREDENTIALS, scopes=["v1.coordinate"])],
) -> Access:
    return _programme(await access_of(request, context), "v1.coordinate")


async def v1_admin(
    request: Request,
    context: CurrentContext,
    _scheme: Annotated[object, Security(CLIENT_CREDENTIALS, scopes=["v1.admin"])],
) -> Access:
    return _programme(await access_of(request, context), "v1.admin")


def _programme(access: Access, scope: str) -> Access:
    if not access.is_programme:
        raise ForbiddenError("/v1 is for the programme; a hospital's client uses /fhir")
    if scope not in access.scopes.names:
        raise ForbiddenError(f"this needs the scope {scope}")
    return access


V1Read = Annotated[Access, Depends(v1_read)]
V1Write = Annotated[Access, Depends(v1_write)]
V1Coordinate = Annotated[Access, Depends(v1_coordinate)]
V1Admin = Annotated[Access, Depends(v1_admin)]
