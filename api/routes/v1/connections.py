"""Connections: the hospitals that patients can be linked to and consent to.

https://www.rfc-editor.org/rfc/rfc9110
"""

from fastapi import APIRouter, Response
from pydantic import Field
from sqlmodel import select

from api.routes.v1.calls import Reading, show_rows
from api.routes.v1.paging import Paged
from api.routes.v1.schema import Page, RowOut
from service.models.connections import (
    Connection,
    ConsentAuthority,
    ConsentPolicy,
    Environment,
)

router = APIRouter(tags=["connections"])


class ConnectionOut(RowOut):
    name: str = Field(description="The hospital's name", examples=["Hospital A"])
    environment: Environment = Field(description="Never mixed", examples=["production"])
    policy: ConsentPolicy = Field(
        description="What holds where a person has said nothing", examples=["opt-in"]
    )
    authority: ConsentAuthority = Field(
        description="Whether permits that it sends count before they are confirmed",
        examples=["confirm"],
    )
    mrn_system: str = Field(
        description="System of the hospital's medical record numbers",
        examples=["https://hospital-a.example/mrn"],
    )


class Connections(Page):
    items: list[ConnectionOut]


@router.get("/connections", response_model=Connections)
def list_connections(call: Reading, page: Paged) -> Response:
    return show_rows(call, Connections, ConnectionOut, (select(Connection), Connection, page))
