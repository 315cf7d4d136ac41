"""Messages that are to be delivered: written with what causes them, gone once delivered."""

from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger
from sqlmodel import Field, SQLModel


class OutboxMessage(SQLModel, table=True):
    """One message; its id is also the key by which a receiver knows it again.

    Times are microseconds since 1970. `ordered_by` names what must be delivered in order, `lane`
    where it goes. `leased_until` is in the future while somebody delivers it; `given_up_at` is
    when it became a dead letter.
    """

    __tablename__ = "outbox"

    id: UUID = Field(primary_key=True)
    kind: str
    payload: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    ordered_by: str | None = Field(default=None, index=True)
    lane: str | None = None
    created_at: int = Field(sa_type=BigInteger)
    due_at: int = Field(sa_type=BigInteger, index=True)
    attempts: int = 0
    leased_until: int = Field(default=0, sa_type=BigInteger)
    holder: str | None = Field(default=None, max_length=32)
    failure: str | None = None
    given_up_at: int | None = Field(default=None, sa_type=BigInteger)
