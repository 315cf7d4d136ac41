"""Clients: the software that may call, for who administers it; a secret is shown once.

https://www.rfc-editor.org/rfc/rfc6749#section-2
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Response
from pydantic import Field, StrictBool
from sqlmodel import select

from api import administration
from api.routes.v1.calls import Administering, Call, answer, show, show_rows
from api.routes.v1.paging import Paged
from api.routes.v1.preconditions import SeenVersion
from api.routes.v1.schema import Body, Page, RowOut, Text
from service.errors import InvalidError
from service.models.connections import Client, Confidentiality, Proof
from service.models.purposes import Purpose
from service.rows import get
from service.smart.clients import Keys, NewClient
from service.smart.keys import ALGORITHMS, Algorithm

router = APIRouter(tags=["clients"])

NAME = ["harbor-ehr"]
SCOPES = [["system/Encounter.rs", "system/Observation.rs"]]
HOSPITAL = ["0199b7c2-5a01-7c90-8f6e-2d4b6a8c0e12"]
JWKS = ["https://harbor.example/jwks.json"]
MOMENT = ["2026-01-05T17:02:11.482913Z"]


class ClientKeys(Body):
    jwks: dict[str, Any] | None = Field(
        default=None,
        description="Its public keys, a JWK Set; it then has no secret",
        examples=[None],
    )
    jwks_url: Text | None = Field(
        default=None, description="Where its JWK Set is fetched from, instead", examples=JWKS
    )
    algorithms: list[Algorithm] | None = Field(
        default=None, description="What it signs with; both when left out", examples=[["ES384"]]
    )

    def keys(self) -> Keys | None:
        """Return what it proves itself by; nothing where that is a secret."""
        if self.jwks is None and self.jwks_url is None:
            if self.algorithms is not None:
                raise InvalidError("a secret signs nothing", element="algorithms")
            return None
        algorithms = ALGORITHMS if self.algorithms is None else tuple(self.algorithms)
        return Keys(jwks=self._document(), jwks_url=self.jwks_url, algorithms=algorithms)

    def _document(self) -> bytes | None:
        try:
            return None if self.jwks is None else orjson.dumps(self.jwks)
        except TypeError as error:  # half of a character
            raise InvalidError("is not Unicode text", element="jwks") from error


class NewClientBody(ClientKeys):
    name: Text = Field(description="Its client_id", examples=NAME)
    scopes: list[Text] = Field(description="The most that it may ask for", examples=SCOPES)
    connection_id: UUID | None = Field(
        default=None, description="Whose it is; the programme's when left out", examples=HOSPITAL
    )
    ceiling: Confidentiality = Field(
        default=Confidentiality.RESTRICTED,
        description="The most confidential that it may read: N, R or V",
        examples=["R"],
    )
    roster_role: StrictBool = Field(
        default=False, description="Whether it may read rosters", examples=[False]
    )
    purpose: Purpose = Field(
        default=Purpose.TREATMENT,
        description="What it reads for: it gets what is permitted for this",
        examples=["TREAT"],
    )
    privacy_officer: StrictBool = Field(
        default=False,
        description="Whether it may read audit events (FHIR AuditEvent)",
        examples=[False],
    )


class ClientOut(RowOut):
    name: str = Field(description="Its client_id", examples=NAME)
    scopes: list[str] = Field(description="The most that it may ask for", examples=SCOPES)
    connection_id: UUID | None = Field(
        description="Whose it is; null is the programme", examples=HOSPITAL
    )
    ceiling: Confidentiality = Field(description="The most confidential", examples=["R"])
    roster_role: bool = Field(description="Whether it may read rosters", examples=[False])
    purpose: Purpose = Field(description="What it reads for", examples=["TREAT"])
    privacy_officer: bool = Field(
        description="Whether it may read audit events (FHIR AuditEvent)", examples=[False]
    )
    proof: Proof = Field(description="What it proves itself by", examples=["address"])
    algorithms: list[Algorithm] | None = Field(
        description="What it signs with", examples=[["ES384"]]
    )
    jwks_url: str | None = Field(description="Where its keys are fetched from", examples=JWKS)
    disabled_at: datetime | None = Field(description="Since when it is refused", examples=MOMENT)


class ClientWithSecret(ClientOut):
    told_once = True

    secret: str | None = Field(
        default=None,
        description="Shown this once, and kept by nobody but you; null where it has keys",
        examples=["2b0nX1kq8dY5oJ7mVt3wZr6sLc9hAe4uFgQpTiKjMxE"],
    )


class Clients(Page):
    items: list[ClientOut]


@router.get("/clients", response_model=Clients)
def list_clients(call: Administering, page: Paged) -> Response:
    return show_rows(call, Clients, ClientOut, (select(Client), Client, page))


@router.post("/clients", status_code=201, response_model=ClientWithSecret)
def create_client(call: Administering, body: NewClientBody) -> Response:
    """Add a client; its secret is in the answer, this once."""
    new = NewClient(
        name=body.name,
        scopes=tuple(body.scopes),
        connection_id=body.connection_id,
        ceiling=body.ceiling,
        roster_role=body.roster_role,
        purpose=body.purpose,
        privacy_officer=body.privacy_officer,
        keys=body.keys(),
    )
    row, secret = administration.add_client(call.context, call, new)
    return _with_secret(call, row, secret, location=f"/v1/clients/{row.id}")


@router.get("/clients/{client_id}", response_model=ClientOut)
def read_client(call: Administering, client_id: UUID) -> Response:
    return show(call, ClientOut, Client, client_id)


@router.post("/clients/{client_id}/rotate", response_model=ClientWithSecret)
def rotate_client(
    call: Administering, seen: SeenVersion, client_id: UUID, body: ClientKeys | None = None
) -> Response:
    """Give it a new secret, or these keys; what it had before proves nothing any more."""
    keys = body.keys() if body else None
    name = _name(call, client_id)
    row, secret = administration.rotate_client(call.context, call, name, keys, seen)
    return _with_secret(call, row, secret)


@router.post("/clients/{client_id}/disable", response_model=ClientOut)
def disable_client(call: Administering, seen: SeenVersion, client_id: UUID) -> Response:
    """Refuse it, and the tokens that it holds, on every process within five seconds."""
    row = administration.disable_client(call.context, call, _name(call, client_id), seen)
    return _shown(call, row)


@router.post("/clients/{client_id}/enable", response_model=ClientOut)
def enable_client(call: Administering, seen: SeenVersion, client_id: UUID) -> Response:
    """Admit it again, by the proof it had; it must ask for new tokens."""
    row = administration.enable_client(call, _name(call, client_id), seen)
    return _shown(call, row)


def _name(call: Call, client_id: UUID) -> str:
    return call.read(lambda session: get(session, Client, client_id).name)


def _shown(call: Call, row: Client) -> Response:
    return answer(call, ClientOut.model_validate(row), row.row_version)


def _with_secret(call: Call, row: Client, secret: str, *, location: str | None = None) -> Response:
    body = ClientWithSecret.model_validate(row).model_copy(update={"secret": secret or None})
    return answer(call, body, row.row_version, location=location)
