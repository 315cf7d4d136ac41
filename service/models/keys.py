"""Keys of our own: what we sign with, and what we signed with until a while ago."""

from sqlalchemy import BigInteger
from sqlmodel import Field

from service.models.base import Row


class SigningKey(Row, table=True):
    """A pair; it signs until it is retired, and is published until what it signed has ended."""

    __tablename__ = "signing_keys"

    kid: str = Field(unique=True)
    algorithm: str
    public: str  # a JWK, as JSON
    private: str | None = None  # encrypted; a key that no longer signs has none
    published_until: int | None = Field(default=None, sa_type=BigInteger)
