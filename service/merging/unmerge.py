"""Parting two records again: what was moved goes back, what was made since stays."""

from datetime import datetime

from sqlmodel import Session as DbSession
from sqlmodel import col, select

from service.commands import UnmergePatients
from service.errors import BusinessRuleError, ConflictError
from service.guard import touch
from service.merging.decisions import carry, decided_against, restore
from service.merging.following import put_back
from service.merging.sent import put_sent_back
from service.models.merges import Merge
from service.models.patients import Patient
from service.rows import check_version, get, require_text


def unmerge_patients(session: DbSession, command: UnmergePatients, now: datetime) -> Merge:
    """Undo a merge: the source is a person of its own again.

    Raises:
        BusinessRuleError: it is undone already.
        ConflictError: the target was merged further; that merge is undone first.
    """
    row = get(session, Merge, command.merge_id)
    check_version(row, command.if_match)
    for name in ("undone_by", "reason"):
        require_text(getattr(command, name), name)
    if row.undone_at is not None:
        raise BusinessRuleError("the merge is undone already")
    source, target = get(session, Patient, row.source_id), get(session, Patient, row.target_id)
    _require_last(session, target)
    row.undone_at, row.undone_by, row.undone_reason = now, command.undone_by, command.reason
    against = decided_against(session, row, now)
    returning = put_back(session, row)
    put_sent_back(session, row, returning)
    restore(session, row)
    session.flush()
    carry(session, row, against, now)
    source.merged_into_id = None
    touch(session, target)
    return row


def _require_last(session: DbSession, target: Patient) -> None:
    if target.merged_into_id is None:
        return
    where = (Merge.source_id == target.id, col(Merge.undone_at).is_(None))
    later = session.exec(select(Merge.id).where(*where)).one()
    raise ConflictError(f"the record was merged further: undo merge {later} first")
