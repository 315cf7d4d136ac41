"""Answers that are kept for a while, so that a repeated request gets the same one."""

from sqlalchemy import BigInteger, Text
from sqlmodel import Field, SQLModel


class KeptAnswer(SQLModel, table=True):
    """The answer to one request, or to one row of a bulk request, sealed by the request's key."""

    __tablename__ = "kept_answers"

    key_hash: str = Field(primary_key=True, max_length=64)
    part: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    fingerprint: str = Field(max_length=64)
    expires_at: int = Field(sa_type=BigInteger, index=True)
    answer: str | None = Field(default=None, sa_type=Text)
