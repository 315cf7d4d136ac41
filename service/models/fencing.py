"""How often something was taken away from each audience (ADR 0036)."""

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel


class DisclosureEpoch(SQLModel, table=True):
    """Raised by what takes something away, in its own transaction; without a row it is zero."""

    __tablename__ = "disclosure_epochs"

    audience: int = Field(primary_key=True, sa_type=BigInteger)
    epoch: int = Field(sa_type=BigInteger)
