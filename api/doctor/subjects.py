"""What people asked for about their data: erasures that were stopped, and rules of retention."""

from collections.abc import Iterator
from datetime import datetime

from sqlmodel import Session, col, select

from api.doctor.findings import Finding, error, ok, warning
from service.errors import RetentionError
from service.models.subjects import CorrectionRequest, CorrectionState, Erasure
from service.settings import Settings
from service.subjects.erasing import unfinished
from service.subjects.retention import rules_of


def findings(session: Session, settings: Settings, now: datetime) -> Iterator[Finding]:
    yield _rules(settings)
    if stopped := unfinished(session):
        yield error(
            "erasures",
            f"{len(stopped)} erasures were stopped: `alongside subject resume` goes on with them.",
        )
    if due := [row for row in _kept(session) if _is_due(row, now)]:
        yield warning(
            "retention",
            f"What the law kept of {len(due)} people may be erased now: plan it again"
            " (`alongside subject plan`).",
        )
    is_open = CorrectionRequest.state == CorrectionState.OPEN
    if asked := session.exec(select(CorrectionRequest.id).where(is_open)).all():
        yield warning("corrections", f"{len(asked)} requests for correction are not decided.")


def _rules(settings: Settings) -> Finding:
    try:
        rules = rules_of(settings.retention_jurisdiction, settings.retention_file)
    except RetentionError as wrong:
        return error("retention-rules", f"{wrong}: no data can be erased.")
    if not rules:
        return warning(
            "retention-rules",
            "No rule of retention holds, so that nothing of anybody can be erased: state yours in"
            " ALONGSIDE_RETENTION_FILE.",
        )
    return ok("retention-rules", f"{len(rules)} rules of retention hold.")


def _kept(session: Session) -> list[Erasure]:
    return list(session.exec(select(Erasure).where(col(Erasure.patient_id).is_not(None))))


def _is_due(row: Erasure, now: datetime) -> bool:
    ends = [each["until"] for each in row.kept]
    return bool(ends) and all(end and end <= now.date().isoformat() for end in ends)
