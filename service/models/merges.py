"""Two records of one person that became one, and what was moved then, so that it can be undone."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlmodel import Field

from service.models.base import Row, UtcDateTime, enum_text
from service.models.connections import OPTIONAL_JSON


class Moving(StrEnum):
    """What a merge did to a row, or to a document that the programme's client sent."""

    MOVED = "moved"
    EXCHANGED = "exchanged"
    WITHDRAWN = "withdrawn"
    REWRITTEN = "rewritten"


class Merge(Row, table=True):
    """The source was merged into the target, and is retired until that is undone."""

    __tablename__ = "merges"

    source_id: UUID = Field(foreign_key="patients.id", index=True)
    target_id: UUID = Field(foreign_key="patients.id", index=True)
    merged_at: datetime = Field(sa_type=UtcDateTime)
    merged_by: str
    reason: str
    undone_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    undone_by: str | None = None
    undone_reason: str | None = None


class MergeMove(Row, table=True):
    """One row that a merge moved or changed: its table, its id, and what undoing must know."""

    __tablename__ = "merge_moves"

    merge_id: UUID = Field(foreign_key="merges.id", index=True)
    table_name: str
    row_id: UUID
    moving: Moving = Field(default=Moving.MOVED, sa_type=enum_text(Moving))
    detail: dict[str, Any] | None = Field(default=None, sa_type=OPTIONAL_JSON)
