"""Credentials of facilitators, for the coordinator alone.

https://www.rfc-editor.org/rfc/rfc9110
"""

from datetime import date
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field, StrictBool
from sqlmodel import select

from api.routes.v1.calls import Coordinating, Overseeing, show, show_rows
from api.routes.v1.paging import Paged
from api.routes.v1.preconditions import SeenVersion
from api.routes.v1.schema import Body, Day, Page, RowOut, Text, unset
from service.commands import AddCredential, UpdateCredential
from service.models.facilitation import Credential
from service.models.groups import Facilitator

router = APIRouter(tags=["coordination"])

KIND = "What it is, as the programme names it"
COUNTS = "When false it is kept and no longer looked at"
KINDS = ["Peer support training"]
ISSUER = ["Harbor Street Groups"]
LAST = "The last day on which it is in force; null when it has none"


class NewCredential(Body):
    kind: Text = Field(description=KIND, examples=KINDS)
    issuer: Text = Field(description="Who gave it", examples=ISSUER)
    number: Text | None = Field(default=None, description="Its number", examples=["PS-2041"])
    issued: Day | None = Field(default=None, description="Since when", examples=["2026-01-05"])
    expires: Day | None = Field(default=None, description=LAST, examples=["2027-01-04"])


class CredentialUpdate(Body):
    """What is left out stays as it is."""

    kind: Text = Field(default_factory=unset, description=KIND, examples=KINDS)
    issuer: Text = Field(default_factory=unset, description="Who gave it", examples=ISSUER)
    number: Text | None = Field(
        default_factory=unset, description="Its number", examples=["PS-2041"]
    )
    issued: Day | None = Field(
        default_factory=unset, description="Since when", examples=["2026-01-05"]
    )
    expires: Day | None = Field(default_factory=unset, description=LAST, examples=["2028-01-04"])
    counts: StrictBool = Field(default_factory=unset, description=COUNTS, examples=[True])


class CredentialOut(RowOut):
    facilitator_id: UUID = Field(
        description="Whose", examples=["0199b7c2-7d11-7f02-b1c4-77ab0e5d1002"]
    )
    kind: str = Field(description=KIND, examples=KINDS)
    issuer: str = Field(description="Who gave it", examples=ISSUER)
    number: str | None = Field(description="Its number", examples=["PS-2041"])
    issued: date | None = Field(description="Since when", examples=["2026-01-05"])
    expires: date | None = Field(description=LAST, examples=["2027-01-04"])
    counts: bool = Field(description=COUNTS, examples=[True])


class Credentials(Page):
    items: list[CredentialOut]


@router.get("/facilitators/{facilitator_id}/credentials", response_model=Credentials)
def list_credentials(call: Overseeing, page: Paged, facilitator_id: UUID) -> Response:
    """All of a facilitator's credentials, those that no longer count too."""
    found = select(Credential).where(Credential.facilitator_id == facilitator_id)
    whose = (Facilitator, facilitator_id)
    return show_rows(call, Credentials, CredentialOut, (found, Credential, page), within=whose)


@router.post(
    "/facilitators/{facilitator_id}/credentials", status_code=201, response_model=CredentialOut
)
def add_credential(call: Coordinating, facilitator_id: UUID, body: NewCredential) -> Response:
    """Add one; a renewed one is a further one of the same kind, and the longest counts."""
    row = call.execute(AddCredential(facilitator_id=facilitator_id, **body.values()))
    return show(call, CredentialOut, Credential, row.id, created="credentials")


@router.get("/credentials/{credential_id}", response_model=CredentialOut)
def read_credential(call: Overseeing, credential_id: UUID) -> Response:
    return show(call, CredentialOut, Credential, credential_id)


@router.patch("/credentials/{credential_id}", response_model=CredentialOut)
def update_credential(
    call: Coordinating, seen: SeenVersion, credential_id: UUID, body: CredentialUpdate
) -> Response:
    call.execute(UpdateCredential(credential_id=credential_id, **body.values(), if_match=seen))
    return show(call, CredentialOut, Credential, credential_id)
