"""Each command with the function that executes it and the locks it begins with."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session as DbSession
from sqlmodel import col, select

from service import (
    attendance,
    calendars,
    commands,
    concerns,
    connections,
    consents,
    corrections,
    enrollments,
    facilitators,
    glass,
    groups,
    links,
    merging,
    occurrences,
    past_enrollments,
    patients,
    restrictions,
    rules,
    safety,
    screening,
    sent_consents,
    series,
    sessions,
)
from service.database import Database
from service.enrollments.waitlist import groups_with_a_waitlist
from service.locks import require_held
from service.models.aggregates import Aggregate, group_aggregate, patient_aggregate
from service.models.concerns import Concern
from service.models.consents import Consent
from service.models.enrollments import Enrollment
from service.models.facilitation import Credential
from service.models.glass import BrokenGlass
from service.models.groups import Session
from service.models.merges import Merge
from service.models.patients import Link
from service.models.screening import Alert, Response
from service.models.series import Series
from service.models.subjects import CorrectionRequest, Restriction
from service.rows import get

Locks = Callable[[DbSession, Any], Iterable[Aggregate]]


@dataclass(frozen=True)
class Handler:
    """`locks` may read what never changes, such as a session's group, before the locks.

    Whose a row is changes with a merge: where they read that, they are asked `again` under them.
    """

    run: Callable[[DbSession, Any, datetime], Any]
    locks: Locks
    again: bool = False


def execute(database: Database, command: Any) -> Any:  # noqa: ANN401 - each command has its result
    """Run one command in a unit of work and return what its function returns."""
    handler = HANDLERS[type(command)]
    aggregates = database.read(lambda session: list(handler.locks(session, command)))
    return database.unit_of_work(
        lambda session: _run(session, database, handler, command), *aggregates
    )


def execute_within(session: DbSession, database: Database, command: Any) -> Any:  # noqa: ANN401
    """Run one command in a unit of work that has begun already."""
    handler = HANDLERS[type(command)]
    database.lock(session, *handler.locks(session, command))
    return _run(session, database, handler, command)


def _run(session: DbSession, database: Database, handler: Handler, command: Any) -> Any:  # noqa: ANN401
    if handler.again:
        require_held(session, handler.locks(session, command))
    return handler.run(session, command, database.clock())


def settle_waitlists(database: Database) -> int:
    """Offer free seats in each group in which somebody waits; return how many groups these are."""
    waiting = database.read(groups_with_a_waitlist)
    for command in waiting:
        execute(database, command)
    return len(waiting)


def _alone(kind: str) -> Locks:
    return lambda _session, _command: [Aggregate(kind, "all")]


def _patient(_session: DbSession, command: Any) -> list[Aggregate]:  # noqa: ANN401
    return [patient_aggregate(command.patient_id)]


def _group(_session: DbSession, command: Any) -> list[Aggregate]:  # noqa: ANN401
    return [group_aggregate(command.group_id)]


def _facilitator(_session: DbSession, command: Any) -> list[Aggregate]:  # noqa: ANN401
    return [Aggregate("facilitator", command.facilitator_id.hex)]


def _credential(session: DbSession, command: commands.UpdateCredential) -> list[Aggregate]:
    row = get(session, Credential, command.credential_id)
    return [Aggregate("facilitator", row.facilitator_id.hex)]


def _concern(session: DbSession, command: Any) -> list[Aggregate]:  # noqa: ANN401
    row = get(session, Concern, command.concern_id)
    return [Aggregate("concern", row.id.hex), group_aggregate(row.group_id)]


def _both(session: DbSession, command: Any) -> list[Aggregate]:  # noqa: ANN401
    group = _group(session, command) if command.group_id else []
    return [*_patient(session, command), *group]


def with_groups(session: DbSession, patient_id: UUID) -> list[Aggregate]:
    """Return a patient and the groups whose documents follow the patient's consents."""
    mine = select(Enrollment.group_id).where(col(Enrollment.patient_id) == patient_id)
    found = {group_aggregate(group) for group in session.exec(mine)}
    return [patient_aggregate(patient_id), *found]


def _linking(session: DbSession, command: commands.LinkPatient) -> list[Aggregate]:
    record = Aggregate("record", command.connection_id.hex)  # a record is linked once
    return [record, *with_groups(session, command.patient_id)]


def _session(session: DbSession, command: Any) -> list[Aggregate]:  # noqa: ANN401
    return [group_aggregate(get(session, Session, command.session_id).group_id)]


def _series(session: DbSession, command: Any) -> list[Aggregate]:  # noqa: ANN401
    return [group_aggregate(get(session, Series, command.series_id).group_id)]


def _calendar(_session: DbSession, command: Any) -> list[Aggregate]:  # noqa: ANN401
    return [Aggregate("calendar", command.facilitator_id.hex)]


def _walk_in(session: DbSession, command: commands.RecordWalkIn) -> list[Aggregate]:
    return [patient_aggregate(command.mark.patient_id), *_session(session, command)]


def _enrollment(session: DbSession, command: Any) -> list[Aggregate]:  # noqa: ANN401
    row = get(session, Enrollment, command.enrollment_id)
    return [patient_aggregate(row.patient_id), group_aggregate(row.group_id)]


def _transfer(session: DbSession, command: commands.TransferEnrollment) -> list[Aggregate]:
    return [*_enrollment(session, command), group_aggregate(command.group_id)]


def _link(session: DbSession, command: commands.UndoLink) -> list[Aggregate]:
    return with_groups(session, get(session, Link, command.link_id).patient_id)


def _merging(session: DbSession, command: commands.MergePatients) -> list[Aggregate]:
    both = (command.source_id, command.target_id)
    return [each for patient in both for each in with_groups(session, patient)]


def _parting(session: DbSession, command: commands.UnmergePatients) -> list[Aggregate]:
    row = get(session, Merge, command.merge_id)
    both = (row.source_id, row.target_id)
    return [each for patient in both for each in with_groups(session, patient)]


def _consent(session: DbSession, command: Any) -> list[Aggregate]:  # noqa: ANN401 - of a consent
    return with_groups(session, get(session, Consent, command.consent_id).patient_id)


def _restriction(session: DbSession, command: commands.LiftRestriction) -> list[Aggregate]:
    return with_groups(session, get(session, Restriction, command.restriction_id).patient_id)


def _correction(session: DbSession, command: Any) -> list[Aggregate]:  # noqa: ANN401
    return [patient_aggregate(get(session, CorrectionRequest, command.correction_id).patient_id)]


def _glass(session: DbSession, command: Any) -> list[Aggregate]:  # noqa: ANN401 - of one
    return [patient_aggregate(get(session, BrokenGlass, command.glass_id).patient_id)]


def _response(session: DbSession, command: commands.CorrectResponse) -> list[Aggregate]:
    row = get(session, Response, command.response_id)
    group = [group_aggregate(row.group_id)] if row.group_id else []
    return [patient_aggregate(row.patient_id), *group]


def _alert(session: DbSession, command: Any) -> list[Aggregate]:  # noqa: ANN401
    return [patient_aggregate(get(session, Alert, command.alert_id).patient_id)]


def _contact(_session: DbSession, command: Any) -> list[Aggregate]:  # noqa: ANN401
    return [Aggregate("contact", command.contact_id.hex)]


HANDLERS: dict[type, Handler] = {
    commands.CreateConnection: Handler(connections.create_connection, _alone("connections")),
    commands.CreateFacility: Handler(connections.create_facility, _alone("facilities")),
    commands.CreatePlace: Handler(facilitators.create_place, _alone("places")),
    commands.CreateFacilitator: Handler(facilitators.create_facilitator, _alone("facilitators")),
    commands.UpdateFacilitator: Handler(facilitators.update_facilitator, _facilitator),
    commands.AddCredential: Handler(facilitators.add_credential, _facilitator),
    commands.UpdateCredential: Handler(facilitators.update_credential, _credential),
    commands.ArrangeSupervision: Handler(facilitators.arrange_supervision, _facilitator),
    commands.RecordSupervision: Handler(facilitators.record_supervision, _facilitator),
    commands.PublishRules: Handler(rules.publish_rules, _alone("rules")),
    commands.RecordAgreement: Handler(rules.record_agreement, _patient),
    commands.RaiseConcern: Handler(concerns.raise_concern, lambda *_: ()),
    commands.AcknowledgeConcern: Handler(concerns.acknowledge_concern, _concern),
    commands.CloseConcern: Handler(concerns.close_concern, _concern),
    commands.CreatePatient: Handler(patients.create_patient, lambda *_: ()),
    commands.UpdatePatient: Handler(patients.update_patient, _patient),
    commands.LinkPatient: Handler(links.link_patient, _linking),
    commands.UndoLink: Handler(links.undo_link, _link, again=True),
    commands.CreateGroup: Handler(groups.create_group, lambda *_: ()),
    commands.UpdateGroup: Handler(enrollments.change_group, _group),
    commands.CreateSession: Handler(sessions.create_session, _group),
    commands.UpdateSession: Handler(sessions.update_session, _session),
    commands.CreateSeries: Handler(series.create_series, _group),
    commands.UpdateSeries: Handler(series.update_series, _series),
    commands.PlanSeries: Handler(series.plan_series, _series),
    commands.EndSeries: Handler(series.end_series, _series),
    commands.ExceptOccurrence: Handler(occurrences.except_occurrence, _series),
    commands.AddExtraSession: Handler(occurrences.add_extra_session, _series),
    commands.OpenCalendar: Handler(calendars.open_calendar, _calendar),
    commands.CloseCalendar: Handler(calendars.close_calendar, _calendar),
    commands.Enroll: Handler(enrollments.enroll, _both),
    commands.RecordPastEnrollment: Handler(past_enrollments.record_past_enrollment, _both),
    commands.ChangeEnrollment: Handler(enrollments.change_enrollment, _enrollment, again=True),
    commands.AnswerOffer: Handler(enrollments.answer_offer, _enrollment, again=True),
    commands.OfferSeat: Handler(enrollments.offer_seat, _group),
    commands.SettleGroup: Handler(enrollments.settle_group, _group),
    commands.TransferEnrollment: Handler(enrollments.transfer_enrollment, _transfer, again=True),
    commands.RecordAttendance: Handler(attendance.record_attendance, _session),
    commands.RecordWalkIn: Handler(attendance.record_walk_in, _walk_in),
    commands.RecordResponse: Handler(screening.record_response, _both),
    commands.CorrectResponse: Handler(screening.correct_response, _response, again=True),
    commands.ReportDanger: Handler(safety.report_danger, _both),
    commands.AcknowledgeAlert: Handler(safety.acknowledge, _alert, again=True),
    commands.EscalateAlert: Handler(safety.escalate, _alert, again=True),
    commands.ResolveAlert: Handler(safety.resolve, _alert, again=True),
    commands.CreateContact: Handler(safety.create_contact, lambda *_: ()),
    commands.UpdateContact: Handler(safety.update_contact, _contact),
    commands.TestContact: Handler(safety.test_contact, _contact),
    commands.RecordConsent: Handler(
        consents.record_consent, lambda session, c: with_groups(session, c.patient_id)
    ),
    commands.AmendConsent: Handler(consents.amend_consent, _consent, again=True),
    commands.WithdrawConsent: Handler(consents.withdraw_consent, _consent, again=True),
    commands.RestrictProcessing: Handler(
        restrictions.restrict_processing, lambda session, c: with_groups(session, c.patient_id)
    ),
    commands.LiftRestriction: Handler(restrictions.lift_restriction, _restriction, again=True),
    commands.AskCorrection: Handler(corrections.ask_correction, _patient),
    commands.DecideCorrection: Handler(corrections.decide_correction, _correction, again=True),
    commands.AddDisagreement: Handler(corrections.add_disagreement, _correction, again=True),
    commands.RecordTold: Handler(corrections.record_told, _correction, again=True),
    commands.BreakGlass: Handler(glass.break_glass, _patient),
    commands.EndGlass: Handler(glass.end_glass, _patient),
    commands.ReviewGlass: Handler(glass.review_glass, _glass, again=True),
    commands.GiveNotice: Handler(glass.give_notice, _glass, again=True),
    commands.SettleConsent: Handler(sent_consents.settle_consent, _consent, again=True),
    commands.MergePatients: Handler(merging.merge_patients, _merging, again=True),
    commands.UnmergePatients: Handler(merging.unmerge_patients, _parting, again=True),
}
