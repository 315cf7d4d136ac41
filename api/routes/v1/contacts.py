"""Contacts: who is told of safety alerts, how, in which hours, and for whose patients.

https://www.rfc-editor.org/rfc/rfc9110
"""

from collections.abc import Sequence
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field, StringConstraints
from sqlmodel import Session, select

from api.routes.v1.calls import Call, Coordinating, Overseeing, show, show_rows
from api.routes.v1.paging import Paged
from api.routes.v1.preconditions import SeenVersion
from api.routes.v1.schema import Body, Page, RowOut, Schema, Text, unset
from service.commands import CreateContact, TestContact, UpdateContact
from service.encryption import SETTING
from service.errors import BusinessRuleError
from service.models.base import Row
from service.models.safety import Channel, Contact, ContactRole

router = APIRouter(tags=["contacts"])

HOSPITAL = ["0199b7c2-5a01-7c90-8f6e-2d4b6a8c0e12"]
GROUP = ["0199b7c2-6c1f-7a53-9d3e-5b8f0c2a4e61"]
NAME = "Who it is, or which service"
ADDRESS = "An e-mail address, or the https address of a webhook"
PLACE = "Who comes first among those of one role: the lowest"
ZONE = "By whose clocks the hours are"
HOURS = "When they are on duty; always when null"
SECRET = "What webhooks are signed by; it is encrypted, and never shown again"  # noqa: S105

Secret = Annotated[str, StringConstraints(min_length=16, max_length=500)]
Clock = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]
Weekday = Annotated[int, Field(ge=0, le=6)]
Place = Annotated[int, Field(ge=0, le=1000)]


class Hours(Schema):
    """Some days, from when until when; a night is two of these."""

    days: list[Weekday] = Field(
        min_length=1, max_length=7, description="0 is Monday", examples=[[0, 1, 2, 3, 4]]
    )
    from_: Clock = Field(alias="from", description="From", examples=["09:00"])
    until: Clock = Field(description="Until, up to 24:00", examples=["17:00"])


EXAMPLE_HOURS = [{"days": [0, 1, 2, 3, 4], "from": "09:00", "until": "17:00"}]


class NewContact(Body):
    name: Text = Field(description=NAME, examples=["Crisis team on call"])
    role: ContactRole = Field(description="Named clinician, or on-call", examples=["on-call"])
    channel: Channel = Field(description="How they are told", examples=["email"])
    address: Text = Field(description=ADDRESS, examples=["on-call@programme.example"])
    secret: Secret | None = Field(default=None, description=SECRET, examples=[None])
    connection_id: UUID | None = Field(
        default=None, description="Of a hospital, for its patients", examples=[None]
    )
    group_id: UUID | None = Field(
        default=None, description="Of a group, for its members", examples=[None]
    )
    place: Place = Field(default=0, description=PLACE, examples=[0])
    time_zone: Text = Field(default="UTC", description=ZONE, examples=["America/New_York"])
    hours: list[Hours] | None = Field(
        default=None, max_length=50, description=HOURS, examples=[EXAMPLE_HOURS]
    )


class ContactChanges(Body):
    name: Text = Field(default_factory=unset, description=NAME, examples=["Crisis team"])
    address: Text = Field(
        default_factory=unset, description=ADDRESS, examples=["crisis@programme.example"]
    )
    secret: Secret | None = Field(default_factory=unset, description=SECRET, examples=[None])
    place: Place = Field(default_factory=unset, description=PLACE, examples=[1])
    time_zone: Text = Field(default_factory=unset, description=ZONE, examples=["Europe/Berlin"])
    hours: list[Hours] | None = Field(
        default_factory=unset, max_length=50, description=HOURS, examples=[EXAMPLE_HOURS]
    )
    active: bool = Field(
        default_factory=unset, description="Whether they are told at all", examples=[True]
    )


class ContactOut(RowOut):
    name: str = Field(description=NAME, examples=["Crisis team on call"])
    role: ContactRole = Field(description="Named clinician, or on-call", examples=["on-call"])
    channel: Channel = Field(description="How they are told", examples=["email"])
    address: str = Field(description=ADDRESS, examples=["on-call@programme.example"])
    has_secret: bool = Field(
        default=False, description="Whether its webhooks are signed", examples=[False]
    )
    connection_id: UUID | None = Field(description="Of which hospital", examples=HOSPITAL)
    group_id: UUID | None = Field(description="Of which group", examples=GROUP)
    place: int = Field(description=PLACE, examples=[0])
    time_zone: str = Field(description=ZONE, examples=["America/New_York"])
    hours: list[Hours] | None = Field(description=HOURS, examples=[EXAMPLE_HOURS])
    active: bool = Field(description="Whether they are told at all", examples=[True])

    @classmethod
    def of_rows(cls, session: Session, rows: Sequence[Row]) -> list[Self]:
        found = super().of_rows(session, rows)
        for item, row in zip(found, rows, strict=True):
            item.has_secret = isinstance(row, Contact) and row.secret is not None
        return found


class Contacts(Page):
    items: list[ContactOut]


@router.post("/contacts", status_code=201, response_model=ContactOut)
def create_contact(call: Coordinating, body: NewContact) -> Response:
    row = call.execute(CreateContact(**_values(call, body)))
    return show(call, ContactOut, Contact, row.id, created="contacts")


@router.get("/contacts", response_model=Contacts)
def list_contacts(call: Overseeing, page: Paged) -> Response:
    return show_rows(call, Contacts, ContactOut, (select(Contact), Contact, page))


@router.get("/contacts/{contact_id}", response_model=ContactOut)
def read_contact(call: Overseeing, contact_id: UUID) -> Response:
    return show(call, ContactOut, Contact, contact_id)


@router.patch("/contacts/{contact_id}", response_model=ContactOut)
def update_contact(
    call: Coordinating, seen: SeenVersion, contact_id: UUID, body: ContactChanges
) -> Response:
    """Change a contact; one that is not active is told nothing."""
    call.execute(UpdateContact(contact_id=contact_id, if_match=seen, **_values(call, body)))
    return show(call, ContactOut, Contact, contact_id)


@router.post("/contacts/{contact_id}/test", status_code=202, response_model=ContactOut)
def test_contact(call: Coordinating, contact_id: UUID) -> Response:
    """Send a message that says it is a test."""
    call.execute(TestContact(contact_id=contact_id))
    found = show(call, ContactOut, Contact, contact_id)
    found.status_code = 202
    return found


def _values(call: Call, body: Body) -> dict[str, Any]:
    given = body.values()
    if isinstance(secret := given.get("secret"), str):
        if not call.context.cipher.has_key:
            raise BusinessRuleError(
                f"{SETTING} is not set: no secret can be kept", element="secret"
            )
        given["secret"] = call.context.cipher.encrypt(secret.encode())
    if isinstance(hours := given.get("hours"), list):
        given["hours"] = [each.model_dump(by_alias=True) for each in hours]
    return given
