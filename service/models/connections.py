"""Connections (a tenant of a hospital's EHR), their facilities, and the clients that call us."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger
from sqlmodel import Field, SQLModel

from service.models.base import Addressed, Projected, Row, UtcDateTime, enum_text
from service.models.purposes import Purpose

# Nothing is NULL, and not JSON's null; SQLModel types `sa_type` as a class.
OPTIONAL_JSON: Any = JSON(none_as_null=True)


class Environment(StrEnum):
    TEST = "test"
    PRODUCTION = "production"


class ConsentPolicy(StrEnum):
    """What holds where a person has said nothing (`reference`: privacy, part 5)."""

    OPT_IN = "opt-in"
    TREATMENT = "treatment"


class ConsentAuthority(StrEnum):
    """What a permit counts that a hospital sends; denials and withdrawals count at once."""

    CONFIRM = "confirm"  # once the programme has confirmed it
    TRUST = "trust"


class Confidentiality(StrEnum):
    """Codes of https://terminology.hl7.org/CodeSystem-v3-Confidentiality.html ."""

    NORMAL = "N"
    RESTRICTED = "R"
    VERY_RESTRICTED = "V"

    @property
    def rank(self) -> int:
        """Return the place in the order normal, restricted, very restricted."""
        return "NRV".index(self.value)


class Proof(StrEnum):
    """What a client proves itself by; by none it gets no token here."""

    SECRET = "secret"  # noqa: S105 - the name of a kind
    KEYS = "keys"
    ADDRESS = "address"
    NONE = "none"


class Connection(Projected, table=True):
    """One hospital's EHR, test or production; its number is its audience in the document store."""

    __tablename__ = "connections"

    name: str = Field(unique=True)
    number: int = Field(unique=True, sa_type=BigInteger)
    environment: Environment = Field(default=Environment.TEST, sa_type=enum_text(Environment))
    policy: ConsentPolicy = Field(default=ConsentPolicy.OPT_IN, sa_type=enum_text(ConsentPolicy))
    authority: ConsentAuthority = Field(
        default=ConsentAuthority.CONFIRM, sa_type=enum_text(ConsentAuthority)
    )
    mrn_system: str


class Facility(Addressed, Projected, table=True):
    """An organisation of a hospital: the hospital itself or one of its clinics."""

    __tablename__ = "facilities"

    connection_id: UUID = Field(foreign_key="connections.id", index=True)
    name: str
    part_of_id: UUID | None = Field(default=None, foreign_key="facilities.id")


class Client(Row, table=True):
    """Software that calls us: bound to one connection, or to the programme when that is null.

    It has a secret, or keys of its own (`jwks`), or an address that we fetch them from.
    """

    __tablename__ = "clients"

    name: str = Field(unique=True)
    connection_id: UUID | None = Field(default=None, foreign_key="connections.id", index=True)
    secret_hash: str | None = None
    jwks: dict[str, Any] | None = Field(default=None, sa_type=OPTIONAL_JSON)
    jwks_url: str | None = None
    algorithms: list[str] | None = Field(default=None, sa_type=OPTIONAL_JSON)
    scopes: list[str] = Field(default_factory=list, sa_type=JSON)
    ceiling: Confidentiality = Field(
        default=Confidentiality.RESTRICTED, sa_type=enum_text(Confidentiality)
    )
    roster_role: bool = False
    purpose: Purpose = Field(default=Purpose.TREATMENT, sa_type=enum_text(Purpose))
    privacy_officer: bool = False  # reads audit events: of its hospital, or as the programme of all
    disabled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    certificate: str | None = Field(default=None, max_length=43)  # x5t#S256, if it must show one
    # Of software that registered itself: what it said, and what it administers itself by.
    software: dict[str, Any] | None = Field(default=None, sa_type=OPTIONAL_JSON)
    registration_hash: str | None = Field(default=None, max_length=64)

    @property
    def has_keys(self) -> bool:
        """Return whether it proves itself by keys, and so never by a secret."""
        return self.jwks is not None or self.jwks_url is not None

    @property
    def proof(self) -> Proof:
        """Return what it proves itself by: its keys may be here, or at an address."""
        if self.jwks_url is not None:
            return Proof.ADDRESS
        if self.jwks is not None:
            return Proof.KEYS
        return Proof.NONE if self.secret_hash is None else Proof.SECRET


class Invitation(Row, table=True):
    """Lets one piece of software register itself, with no more than this; its token is not kept."""

    __tablename__ = "invitations"

    token_hash: str = Field(unique=True, max_length=64)
    connection_id: UUID | None = Field(default=None, foreign_key="connections.id", index=True)
    scopes: list[str] = Field(default_factory=list, sa_type=JSON)
    ceiling: Confidentiality = Field(
        default=Confidentiality.RESTRICTED, sa_type=enum_text(Confidentiality)
    )
    roster_role: bool = False
    purpose: Purpose = Field(default=Purpose.TREATMENT, sa_type=enum_text(Purpose))
    expires_at: int = Field(sa_type=BigInteger)
    ended_at: int | None = Field(default=None, sa_type=BigInteger)  # used, or withdrawn
    client_id: UUID | None = Field(default=None, foreign_key="clients.id", index=True)


class UsedAssertion(SQLModel, table=True):
    """An assertion that a client proved itself by: it is refused until it has ended anyway."""

    __tablename__ = "used_assertions"

    client_id: UUID = Field(foreign_key="clients.id", primary_key=True)
    jti_hash: str = Field(primary_key=True, max_length=64)
    expires_at: int = Field(sa_type=BigInteger, index=True)


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
    certificate: str | None = Field(default=None, max_length=43)  # of no use without it
