"""Issuers outside, whose access tokens are honoured here for as much as we allow."""

from uuid import UUID

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel


class Issuer(SQLModel, table=True):
    """How an issuer's tokens are looked at; its client's row says what they are good for.

    That client has no proof of its own, and so gets no token of ours.
    """

    __tablename__ = "issuers"

    client_id: UUID = Field(foreign_key="clients.id", primary_key=True)
    issuer: str = Field(unique=True)  # what `iss` is
    audience: str | None = None  # what `aud` has; the FHIR endpoint where it is left out
    algorithms: str = ""  # separated by spaces
    jwks_url: str | None = None
    introspection_url: str | None = None
    introspection_client: str | None = None
    introspection_secret: str | None = None  # encrypted
    people: bool = False  # whether it may vouch for people, by user/ scopes
    role_claim: str | None = None  # the claim that says what somebody is there
    roles: dict[str, str] = Field(default_factory=dict, sa_type=JSON)  # with their ceilings
