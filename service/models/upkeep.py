"""What an operator has begun and every process must know, or the next command goes on with."""

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel


class Upkeep(SQLModel, table=True):
    """One matter that is under way, such as maintenance; without a row it is not."""

    __tablename__ = "upkeep"

    name: str = Field(primary_key=True)
    value: str
    at: int = Field(sa_type=BigInteger)
