"""Merging: the source's rows become the target's, and the source is retired.

https://hl7.org/fhir/R4/patient.html#link
"""

from datetime import datetime

from sqlmodel import Session as DbSession

from service.commands import MergePatients
from service.errors import BusinessRuleError, VersionError
from service.guard import touch
from service.merging.decisions import settle
from service.merging.following import move
from service.merging.refusals import live_links, require_mergeable
from service.merging.sent import move_sent
from service.models.merges import Merge
from service.models.patients import Patient
from service.patients import current
from service.rows import require_text


def merge_patients(session: DbSession, command: MergePatients, now: datetime) -> Merge:
    """Make one person of two records.

    Raises:
        MergedError: one of them is retired already.
        UnmergeableError: they have what one person cannot have; each is named.
    """
    source, target = _both(session, command)
    require_mergeable(session, source, target)
    linked = live_links(session, source)
    row = Merge(
        source_id=source.id,
        target_id=target.id,
        merged_at=now,
        merged_by=command.merged_by,
        reason=command.reason,
        created_at=now,
    )
    session.add(row)
    session.flush()  # what it moved refers to it
    settle(session, row)
    move(session, row)
    move_sent(session, row, linked)
    source.merged_into_id = target.id
    touch(session, target)
    return row


def _both(session: DbSession, command: MergePatients) -> tuple[Patient, Patient]:
    target = current(session, command.target_id)
    source = current(session, command.source_id, "source_id")
    for name in ("merged_by", "reason"):
        require_text(getattr(command, name), name)
    if source is target:
        raise BusinessRuleError("must be another record", element="source_id")
    _check_version(source, command.source_version, "source_version")
    _check_version(target, command.target_version, "target_version")
    return source, target


def _check_version(row: Patient, seen: int | None, element: str) -> None:
    if seen is not None and row.row_version != seen:
        message = f"the current version is {row.row_version}; read it again before merging"
        raise VersionError(message, element=element)
