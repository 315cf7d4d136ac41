"""What can be asked of concerns."""

from dataclasses import dataclass
from uuid import UUID

from service.models.concerns import ConcernKind, Severity


@dataclass(frozen=True, kw_only=True)
class RaiseConcern:
    group_id: UUID
    kind: ConcernKind
    severity: Severity
    session_id: UUID | None = None
    statement: str | None = None
    raised_by: str


@dataclass(frozen=True, kw_only=True)
class AcknowledgeConcern:
    """Somebody has taken it up; `hold_group` puts the group on hold with it."""

    concern_id: UUID
    by: str
    hold_group: bool = False
    if_match: int | None = None


@dataclass(frozen=True, kw_only=True)
class CloseConcern:
    concern_id: UUID
    by: str
    hold_group: bool = False
    if_match: int | None = None
