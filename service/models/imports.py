"""What an import remembers, so that the same file again finds the rows that it made."""

from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from service.models.base import Row


class ImportKey(Row, table=True):
    """The key under which files of one kind know a row of ours."""

    __tablename__ = "import_keys"
    __table_args__ = (UniqueConstraint("kind", "key"),)

    kind: str
    key: str
    row_id: UUID = Field(index=True)
