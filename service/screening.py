"""Questionnaire responses: range-checked, scored on arrival, corrected with what was there kept."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session, select

from service.commands import CorrectResponse, RecordResponse
from service.driver import fetched
from service.errors import (
    BusinessRuleError,
    InvalidElementsError,
    InvalidError,
    Problem,
    ValueSetError,
)
from service.guard import insert
from service.identifiers import new_id
from service.instruments import Instrument, instrument
from service.models.enrollments import Enrollment
from service.models.groups import SupportGroup
from service.models.screening import COMPLETE, Alert, Response, ResponseChange, ResponseStatus
from service.patients import current
from service.restrictions import require_unrestricted
from service.rows import check_version, get, require_offset
from service.safety import Circumstances, first_alert, raise_alert, worsened
from service.scoring import check_answers, score

CLOCK_SKEW = timedelta(minutes=5)
PERSON = "SELECT merged_into_id FROM patients WHERE id = ?"


@dataclass(frozen=True)
class Recorded:
    """A response as it is kept, and the alert that it has raised, now or before."""

    response: Response
    alert: Alert | None


def record_response(session: Session, command: RecordResponse, now: datetime) -> Recorded:
    """Check, score and keep a response; raise an alert where a safety rule is met."""
    _require_patient(session, command.patient_id)
    definition = _definition(command.instrument, command.instrument_version)
    group = _group(session, command, definition)
    _check(definition, command.answers, command.status)
    result = score(definition, command.answers)
    row = Response(
        id=command.response_id or new_id(),
        created_at=now,
        patient_id=command.patient_id,
        group_id=command.group_id,
        connection_id=command.connection_id,
        instrument=definition.id,
        instrument_version=definition.version,
        status=command.status,
        authored=_past(command.authored, now),
        answers=dict(command.answers),
        total=result.total,
        scores=result.stored,
        missing=list(result.missing),
    )
    _receive(row, command.answers, command.status, command.received)
    insert(session, row)
    contact = group.escalation_contact if group else None
    around = Circumstances(now=now, contact=contact)
    alert = first_alert(session, row, definition, around)
    if alert is None:  # what tells of danger is recorded, and raised, in any case (ADR 0039)
        require_unrestricted(session, row.patient_id, now, "patient_id")
        worsened(session, row, around)
    return Recorded(row, alert)


def _require_patient(session: Session, patient_id: UUID) -> None:
    found = fetched(session, PERSON, (patient_id.hex,))
    if not found:
        raise InvalidError("there is no Patient with this id", element="patient_id")
    if found != [(None,)]:
        current(session, patient_id, "patient_id")


def correct_response(session: Session, command: CorrectResponse, now: datetime) -> Recorded:
    """Replace the answers; an alert that was raised stays open, whatever they say now."""
    row = get(session, Response, command.response_id)
    check_version(row, command.if_match)
    definition = _definition(row.instrument, row.instrument_version)
    _check(definition, command.answers, command.status)
    authored = _past(command.authored, now) if command.authored else row.authored
    same = (command.answers, command.status, authored) == (row.answers, row.status, row.authored)
    if not same or command.received not in {None, row.received}:
        _keep(session, row, by=command.corrected_by, now=now)
        row.status, row.authored = command.status, authored
        if command.received is not None:
            _receive(row, command.answers, command.status, command.received)
        _score(row, definition, command.answers)
    group = session.get(SupportGroup, row.group_id) if row.group_id else None
    contact = group.escalation_contact if group else None
    around = Circumstances(now=now, contact=contact)
    alert = raise_alert(session, row, definition, around)
    if alert is None:
        require_unrestricted(session, row.patient_id, now)
        worsened(session, row, around)
    return Recorded(row, alert)


def _definition(name: str, version: str | None) -> Instrument:
    try:
        return instrument(name, version)
    except LookupError:
        raise ValueSetError("no such questionnaire here", element="instrument") from None


def _group(
    session: Session, command: RecordResponse, definition: Instrument
) -> SupportGroup | None:
    if command.group_id is None:
        return None
    group = get(session, SupportGroup, command.group_id, "group_id")
    if definition.id not in group.instruments.split():
        raise BusinessRuleError("the group does not use this questionnaire", element="instrument")
    member = select(Enrollment.id).where(
        Enrollment.group_id == group.id, Enrollment.patient_id == command.patient_id
    )
    if not session.exec(member).first():
        raise BusinessRuleError("the person is not in this group", element="group_id")
    return group


def _check(definition: Instrument, answers: dict[str, int], status: ResponseStatus) -> None:
    problems = check_answers(definition, answers, complete=status in COMPLETE)
    if problems:
        raise InvalidElementsError(
            tuple(Problem(f"answers['{p.link_id}']", p.rule, "value") for p in problems)
        )


def _past(authored: datetime, now: datetime) -> datetime:
    moment = require_offset(authored, "authored")
    if moment > now + CLOCK_SKEW:
        raise InvalidError("must not lie in the future", element="authored")
    return moment


def _receive(
    row: Response, answers: dict[str, int], status: ResponseStatus, received: bytes | None
) -> None:
    row.received = received
    if received is not None:
        row.received_answers, row.received_status = dict(answers), status


def _score(row: Response, definition: Instrument, answers: dict[str, int]) -> None:
    result = score(definition, answers)
    row.answers = dict(answers)
    row.total, row.scores = result.total, result.stored
    row.missing = list(result.missing)


def _keep(session: Session, row: Response, *, by: str, now: datetime) -> None:
    session.add(
        ResponseChange(
            response_id=row.id,
            status=row.status,
            answers=dict(row.answers),
            total=row.total,
            scores=row.scores,
            received=row.received,
            replaced_at=now,
            replaced_by=by,
        )
    )
