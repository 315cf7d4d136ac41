"""Connections (a tenant of a hospital's EHR), their facilities, and the clients that call us."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import JSON, BigInteger
from sqlmodel import Field, SQLModel

from service.models.base import Addressed, Projected, Row, UtcDateTime, enum_text


class Environment(StrEnum):
    TEST = "test"
    PRODUCTION = "production"


class ConsentPolicy(StrEnum):
    """What holds where a person has said nothing (`reference`: privacy, part 5)."""

    OPT_IN = "opt-in"
    TREATMENT = "treatment"


class Confidentiality(StrEnum):
    """Codes of https://terminology.hl7.org/CodeSystem-v3-Confidentiality.html ."""

    NORMAL = "N"
    RESTRICTED = "R"
    VERY_RESTRICTED = "V"

    @property
    def rank(self) -> int:
        """Return the place in the order normal, restricted, very restricted."""
        return "NRV".index(self.value)


class Connection(Projected, table=True):
    """One hospital's EHR, test or production; its number is its audience in the document store."""

    __tablename__ = "connections"

    name: str = Field(unique=True)
    number: int = Field(unique=True, sa_type=BigInteger)
    environment: Environment = Field(default=Environment.TEST, sa_type=enum_text(Environment))
    policy: ConsentPolicy = Field(default=ConsentPolicy.OPT_IN, sa_type=enum_text(ConsentPolicy))
    mrn_system: str


class Facility(Addressed, Projected, table=True):
    """An organisation of a hospital: the hospital itself or one of its clinics."""

    __tablename__ = "facilities"

    connection_id: UUID = Field(foreign_key="connections.id", index=True)
    name: str
    part_of_id: UUID | None = Field(default=None, foreign_key="facilities.id")


class Client(Row, table=True):
    """Software that calls us: bound to one connection, or to the programme when that is null."""

    __tablename__ = "clients"

    name: str = Field(unique=True)
    connection_id: UUID | None = Field(default=None, foreign_key="connections.id", index=True)
    secret_hash: str
    scopes: list[str] = Field(default_factory=list, sa_type=JSON)
    ceiling: Confidentiality = Field(
        default=Confidentiality.RESTRICTED, sa_type=enum_text(Confidentiality)
    )
    roster_role: bool = False
    disabled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class AccessToken(SQLModel, table=True):
    """An access token that was issued: only its SHA-256 is kept."""

    __tablename__ = "access_tokens"

    token_hash: str = Field(primary_key=True, max_length=64)
    client_id: UUID = Field(foreign_key="clients.id", index=True)
    scope: str
    issued_at: int = Field(sa_type=BigInteger)
    expires_at: int = Field(sa_type=BigInteger, index=True)
    issued_by: str = "client_credentials"
    revoked: bool = False
