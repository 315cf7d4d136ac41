"""Requests for correction: what a person says is wrong, what was decided, and that they were told.

What is wrong is corrected where it stands; this is the record that somebody asked for it.
"""

from datetime import datetime

from sqlmodel import Session

from service.commands import AddDisagreement, AskCorrection, DecideCorrection, RecordTold
from service.errors import BusinessRuleError, InvalidError
from service.models.subjects import CorrectionRequest, CorrectionState
from service.patients import current
from service.rows import check_version, get, require_offset, require_text

OPEN = CorrectionState.OPEN


def ask_correction(session: Session, command: AskCorrection, now: datetime) -> CorrectionRequest:
    current(session, command.patient_id)
    for name in ("about", "asked_by"):
        require_text(getattr(command, name), name)
    asked_at = require_offset(command.asked_at or now, "asked_at")
    if asked_at > now:
        raise InvalidError("must not lie in the future", element="asked_at")
    row = CorrectionRequest(
        patient_id=command.patient_id,
        asked_at=asked_at,
        asked_by=command.asked_by,
        about=command.about,
        created_at=now,
    )
    session.add(row)
    return row


def decide_correction(
    session: Session, command: DecideCorrection, now: datetime
) -> CorrectionRequest:
    """Decide, once; a decision says what was changed, or why nothing was."""
    row = get(session, CorrectionRequest, command.correction_id)
    check_version(row, command.if_match)
    for name in ("decision", "decided_by"):
        require_text(getattr(command, name), name)
    if row.state is not OPEN:
        raise BusinessRuleError(f"the request is {row.state.value} already")
    row.state = CorrectionState.ACCEPTED if command.accepted else CorrectionState.REFUSED
    row.decision, row.decided_by, row.decided_at = command.decision, command.decided_by, now
    return row


def add_disagreement(
    session: Session, command: AddDisagreement, _now: datetime
) -> CorrectionRequest:
    """Keep what the person says against a refusal with it."""
    row = get(session, CorrectionRequest, command.correction_id)
    check_version(row, command.if_match)
    require_text(command.statement, "statement")
    if row.state is not CorrectionState.REFUSED:
        raise BusinessRuleError("a statement of disagreement is about a refusal")
    row.disagreement = command.statement
    return row


def record_told(session: Session, command: RecordTold, now: datetime) -> CorrectionRequest:
    """Note that the person knows what was decided."""
    row = get(session, CorrectionRequest, command.correction_id)
    check_version(row, command.if_match)
    require_text(command.told_by, "told_by")
    if row.state is OPEN:
        raise BusinessRuleError("nothing is decided yet of which they could be told")
    row.told_at, row.told_by = now, command.told_by
    return row
