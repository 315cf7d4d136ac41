"""What can be asked of two records of one person."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class MergePatients:
    """Make one person of two records: the source is retired, all that it has is the target's.

    The versions are those of the two patients that the caller has seen.
    """

    source_id: UUID
    target_id: UUID
    merged_by: str
    reason: str
    source_version: int | None = None
    target_version: int | None = None


@dataclass(frozen=True, kw_only=True)
class UnmergePatients:
    merge_id: UUID
    undone_by: str
    reason: str
    if_match: int | None = None
