"""Aggregates: what is locked before documents are made from it (DESIGN section 2, ADR 0004)."""

import hashlib
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, order=True)
class Aggregate:
    """A patient, a group, or a row that stands alone, such as a place."""

    kind: str
    id: str

    @property
    def lock_key(self) -> int:
        """Return the signed 64-bit key of PostgreSQL's advisory lock."""
        digest = hashlib.blake2b(f"{self.kind}:{self.id}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big", signed=True)


def patient_aggregate(patient_id: UUID) -> Aggregate:
    return Aggregate("patient", patient_id.hex)


def group_aggregate(group_id: UUID) -> Aggregate:
    return Aggregate("group", group_id.hex)
