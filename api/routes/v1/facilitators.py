"""Facilitators and places: who leads groups, and where they meet.

https://www.rfc-editor.org/rfc/rfc9110
"""

from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field, StrictBool
from sqlmodel import select

from api.routes.v1.calls import Reading, Writing, show, show_rows
from api.routes.v1.paging import Paged
from api.routes.v1.preconditions import SeenVersion
from api.routes.v1.schema import Body, Page, RowOut, Text, unset
from service.commands import CreateFacilitator, CreatePlace, PostalAddress, UpdateFacilitator
from service.models.groups import Facilitation, Facilitator, Place

router = APIRouter()


class NewFacilitator(Body):
    family: Text = Field(description="Family name", examples=["Okafor"])
    given: Text = Field(description="Given name", examples=["Ngozi"])
    kind: Facilitation = Field(description="`peer` or `professional`", examples=["peer"])
    name_is_public: StrictBool = Field(
        default=False, description="Whether hospitals may see the name", examples=[False]
    )


class FacilitatorUpdate(Body):
    """What is left out stays as it is."""

    family: Text = Field(default_factory=unset, description="Family name", examples=["Okafor"])
    given: Text = Field(default_factory=unset, description="Given name", examples=["Ngozi"])
    kind: Facilitation = Field(
        default_factory=unset, description="`peer` or `professional`", examples=["professional"]
    )
    name_is_public: StrictBool = Field(
        default_factory=unset, description="Whether hospitals may see the name", examples=[False]
    )
    active: StrictBool = Field(
        default_factory=unset, description="Whether they still lead groups", examples=[True]
    )


class FacilitatorOut(RowOut):
    family: str = Field(description="Family name", examples=["Okafor"])
    given: str = Field(description="Given name", examples=["Ngozi"])
    kind: Facilitation = Field(description="Peer or professional", examples=["peer"])
    name_is_public: bool = Field(description="Whether hospitals may see the name", examples=[False])
    active: bool = Field(description="Whether they still lead groups", examples=[True])


class Facilitators(Page):
    items: list[FacilitatorOut]


class NewPlace(Body):
    name: Text = Field(description="What the place is called", examples=["Harbour Street Library"])
    line: Text | None = Field(default=None, description="Street", examples=["12 Harbour Street"])
    city: Text | None = Field(default=None, description="City", examples=["Springfield"])
    state: Text | None = Field(default=None, description="State", examples=["MA"])
    postal_code: Text | None = Field(default=None, description="Postal code", examples=["01101"])
    country: Text | None = Field(default=None, description="Country", examples=["US"])
    phone: Text | None = Field(default=None, description="Telephone", examples=["555-0100"])


class PlaceOut(RowOut):
    name: str = Field(description="What the place is called", examples=["Harbour Street Library"])
    line: str | None = Field(description="Street", examples=["12 Harbour Street"])
    city: str | None = Field(description="City", examples=["Springfield"])
    state: str | None = Field(description="State", examples=["MA"])
    postal_code: str | None = Field(description="Postal code", examples=["01101"])
    country: str | None = Field(description="Country", examples=["US"])
    phone: str | None = Field(description="Telephone", examples=["555-0100"])


class Places(Page):
    items: list[PlaceOut]


@router.get("/facilitators", response_model=Facilitators, tags=["facilitators"])
def list_facilitators(call: Reading, page: Paged) -> Response:
    return show_rows(call, Facilitators, FacilitatorOut, (select(Facilitator), Facilitator, page))


@router.post("/facilitators", status_code=201, response_model=FacilitatorOut, tags=["facilitators"])
def create_facilitator(call: Writing, body: NewFacilitator) -> Response:
    row = call.execute(CreateFacilitator(**body.values()))
    return show(call, FacilitatorOut, Facilitator, row.id, created="facilitators")


@router.get("/facilitators/{facilitator_id}", response_model=FacilitatorOut, tags=["facilitators"])
def read_facilitator(call: Reading, facilitator_id: UUID) -> Response:
    return show(call, FacilitatorOut, Facilitator, facilitator_id)


@router.patch(
    "/facilitators/{facilitator_id}", response_model=FacilitatorOut, tags=["facilitators"]
)
def update_facilitator(
    call: Writing, seen: SeenVersion, facilitator_id: UUID, body: FacilitatorUpdate
) -> Response:
    """Change what is named; one who is not active is given no further group."""
    call.execute(UpdateFacilitator(facilitator_id=facilitator_id, **body.values(), if_match=seen))
    return show(call, FacilitatorOut, Facilitator, facilitator_id)


@router.get("/places", response_model=Places, tags=["places"])
def list_places(call: Reading, page: Paged) -> Response:
    return show_rows(call, Places, PlaceOut, (select(Place), Place, page))


@router.post("/places", status_code=201, response_model=PlaceOut, tags=["places"])
def create_place(call: Writing, body: NewPlace) -> Response:
    given = body.values()
    command = CreatePlace(name=given.pop("name"), address=PostalAddress(**given))
    return show(call, PlaceOut, Place, call.execute(command).id, created="places")


@router.get("/places/{place_id}", response_model=PlaceOut, tags=["places"])
def read_place(call: Reading, place_id: UUID) -> Response:
    return show(call, PlaceOut, Place, place_id)
