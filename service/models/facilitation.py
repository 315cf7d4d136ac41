"""Facilitators' credentials and supervision: staff data, from which no FHIR document is made."""

from datetime import date
from uuid import UUID

from sqlmodel import Field

from service.models.base import Row


class Credential(Row, table=True):
    """What a facilitator holds, named as the programme names it; the last day is `expires`.

    One that does not `count` is kept and no longer looked at.
    """

    __tablename__ = "facilitator_credentials"

    facilitator_id: UUID = Field(foreign_key="facilitators.id", index=True)
    kind: str
    issuer: str
    number: str | None = None
    issued: date | None = None
    expires: date | None = None
    counts: bool = True


class Supervision(Row, table=True):
    """Who supervises a facilitator: another one, or somebody who is named only.

    `next_due` is a day that was set for this person; without it the operator's interval counts.
    """

    __tablename__ = "supervisions"

    facilitator_id: UUID = Field(foreign_key="facilitators.id", unique=True)
    supervisor_id: UUID | None = Field(default=None, foreign_key="facilitators.id")
    contact: str | None = None
    next_due: date | None = None


class SupervisionSession(Row, table=True):
    """A supervision session that took place, with whom; never what was said."""

    __tablename__ = "supervision_sessions"

    facilitator_id: UUID = Field(foreign_key="facilitators.id", index=True)
    supervisor_id: UUID | None = Field(default=None, foreign_key="facilitators.id")
    contact: str | None = None
    held_on: date
    recorded_by: str
