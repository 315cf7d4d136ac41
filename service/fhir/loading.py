"""Facts from rows, by column SELECTs after the locks: never through the identity map."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping
from sqlmodel import Session as DbSession
from sqlmodel import col, select

from service.driver import CHUNK, columns
from service.fhir.loading_alerts import alerts
from service.models.connections import Facility
from service.models.consents import Consent
from service.models.enrollments import Attendance, Enrollment, EnrollmentStatus
from service.models.enrollments import EnrollmentStatusChange as StatusChange
from service.models.facts import (
    Address,
    AlertFacts,
    ConsentFacts,
    EnrollmentFacts,
    FacilitatorFacts,
    FacilityFacts,
    GroupFacts,
    InstrumentFacts,
    PatientFacts,
    PlaceFacts,
    ProgrammeFacts,
    ResponseFacts,
    StatusFacts,
    VisitFacts,
)
from service.models.groups import (
    Facilitator,
    Place,
    Programme,
    Sensitivity,
    Session,
    SupportGroup,
)
from service.models.patients import Patient, SentPatient
from service.models.provisions import provision_of
from service.models.screening import Alert, Instrument, Response

Ids = Iterable[UUID]
Status = tuple[dict[str, Any], dict[str, Any]]  # a status that an enrolment had, and it
ADDRESS = ("line", "city", "state", "postal_code", "country")


def pick(facts: Any, row: dict[str, Any] | RowMapping, **more: Any) -> Any:  # noqa: ANN401
    """Return facts of this class with the fields that the row has, and `more`."""
    names = facts.__dataclass_fields__
    return facts(**{k: v for k, v in row.items() if k in names and k not in more}, **more)


def address(row: dict[str, Any]) -> Address:
    return Address(**{name: row[name] for name in ADDRESS})


def programmes(session: DbSession, ids: Ids) -> list[ProgrammeFacts]:
    rows = columns(session, Programme, ids)
    return [pick(ProgrammeFacts, row, address=address(row)) for row in rows]


def places(session: DbSession, ids: Ids) -> list[PlaceFacts]:
    return [pick(PlaceFacts, row, address=address(row)) for row in columns(session, Place, ids)]


def facilities(session: DbSession, ids: Ids) -> list[tuple[UUID, FacilityFacts]]:
    """Return each facility with the connection it belongs to."""
    rows = columns(session, Facility, ids)
    return [(r["connection_id"], pick(FacilityFacts, r, address=address(r))) for r in rows]


def facilitators(session: DbSession, ids: Ids) -> list[FacilitatorFacts]:
    return [pick(FacilitatorFacts, row) for row in columns(session, Facilitator, ids)]


def instruments(session: DbSession, ids: Ids) -> list[InstrumentFacts]:
    return [pick(InstrumentFacts, row) for row in columns(session, Instrument, ids)]


def groups(session: DbSession, ids: Ids) -> dict[UUID, GroupFacts]:
    """Return groups by id."""
    return {row["id"]: pick(GroupFacts, row) for row in columns(session, SupportGroup, ids)}


def patients(session: DbSession, ids: Ids) -> list[PatientFacts]:
    keys = list(ids)
    senders, received = _senders(session, keys), _received(session, keys)
    replaced = _replaced(session, keys)
    return [
        pick(
            PatientFacts,
            row,
            address=address(row),
            extensions=tuple(row["extensions"]),
            sent_by=frozenset(senders[row["id"]]),
            received=received[row["id"]],
            replaces=tuple(replaced[row["id"]]),
        )
        for row in columns(session, Patient, keys)
    ]


def _replaced(session: DbSession, ids: list[UUID]) -> dict[UUID, list[UUID]]:
    """Return the records that were merged into these."""
    found: dict[UUID, list[UUID]] = defaultdict(list)
    for row in columns(session, Patient, ids, "merged_into_id"):
        found[row["merged_into_id"]].append(row["id"])
    return found


def _received(session: DbSession, ids: list[UUID]) -> dict[UUID, dict[UUID, bytes]]:
    """Return what each connection sent as these Patients."""
    found: dict[UUID, dict[UUID, bytes]] = defaultdict(dict)
    for row in columns(session, SentPatient, ids, "patient_id"):
        found[row["patient_id"]][row["connection_id"]] = row["received"]
    return found


def _senders(session: DbSession, ids: list[UUID]) -> dict[UUID, set[UUID]]:
    """Return the connections that sent responses about these patients."""
    found: dict[UUID, set[UUID]] = defaultdict(set)
    for start in range(0, len(ids), CHUNK):
        statement = (
            select(Response.patient_id, Response.connection_id)
            .where(
                col(Response.patient_id).in_(ids[start : start + CHUNK]),
                col(Response.connection_id).is_not(None),
            )
            .distinct()
        )
        for patient_id, connection_id in session.execute(statement):
            found[patient_id].add(connection_id)
    return found


def enrollments(session: DbSession, ids: Ids) -> list[EnrollmentFacts]:
    rows = columns(session, Enrollment, ids)
    found = groups(session, {row["group_id"] for row in rows})
    changes: dict[UUID, list[StatusFacts]] = defaultdict(list)
    for change in columns(session, StatusChange, [r["id"] for r in rows], "enrollment_id"):
        changes[change["enrollment_id"]].append(pick(StatusFacts, change))
    return [
        pick(
            EnrollmentFacts,
            r,
            history=tuple(sorted(changes[r["id"]], key=_in_time)),
            group=found[r["group_id"]],
        )
        for r in rows
    ]


def _in_time(one: StatusFacts) -> tuple[datetime, bool, datetime]:
    """Order statuses; of those that begin at once the present one is the last."""
    return one.start, one.end is None, one.end or one.start


def visits(session: DbSession, keys: set[tuple[UUID, UUID]]) -> list[VisitFacts]:
    """Return the visits of these (session, patient) pairs that are booked or recorded."""
    sessions = {row["id"]: row for row in columns(session, Session, {s for s, _ in keys})}
    found = groups(session, {row["group_id"] for row in sessions.values()})
    marks = {
        (row["session_id"], row["patient_id"]): row
        for row in columns(session, Attendance, sessions, "session_id")
    }
    members = _memberships(session, {p for _, p in keys})
    facts = []
    for one, patient in sorted(keys):
        if one in sessions:
            row, mark = sessions[one], marks.get((one, patient))
            member = _membership(members[patient, row["group_id"]], row["start"], mark)
            if member is not None:
                facts.append(_visit(row, patient, member, mark, found[row["group_id"]]))
    return facts


def _memberships(session: DbSession, patients_: set[UUID]) -> dict[tuple[UUID, UUID], list[Status]]:
    """Return the statuses that these people have had in each group, each with its enrolment."""
    rows = {row["id"]: row for row in columns(session, Enrollment, patients_, "patient_id")}
    found: dict[tuple[UUID, UUID], list[Status]] = defaultdict(list)
    for change in columns(session, StatusChange, rows, "enrollment_id"):
        row = rows[change["enrollment_id"]]
        found[row["patient_id"], row["group_id"]].append((change, row))
    return found


def _membership(
    statuses: list[Status], start: datetime, mark: dict[str, Any] | None
) -> dict[str, Any] | None:
    """Return the enrolment under which a session is booked, or its attendance recorded."""
    for change, row in statuses:
        booked = change["status"] is EnrollmentStatus.ACTIVE and not row["guest"]
        if mark:
            if row["id"] == mark["enrollment_id"]:
                return row
        elif booked and _within(start, change):
            return row
    return None


def _within(start: datetime, change: dict[str, Any]) -> bool:
    began: bool = change["start"] <= start
    return began and (change["end"] is None or start < change["end"])


def _visit(
    row: dict[str, Any],
    patient_id: UUID,
    member: dict[str, Any],
    mark: dict[str, Any] | None,
    group: GroupFacts,
) -> VisitFacts:
    facts: VisitFacts = pick(
        VisitFacts,
        row,
        session_id=row["id"],
        patient_id=patient_id,
        enrollment_id=member["id"],
        made_for_id=member["made_for_id"],
        place_id=row["place_id"] or group.place_id,
        mark=mark["mark"] if mark else None,
        arrived_at=mark["arrived_at"] if mark else None,
        group=group,
    )
    return facts


def responses(session: DbSession, ids: Ids) -> list[ResponseFacts]:
    rows = columns(session, Response, ids)
    found = groups(session, {row["group_id"] for row in rows if row["group_id"]})
    raised = columns(session, Alert, [row["id"] for row in rows], "response_id")
    alerts = {row["response_id"]: pick(AlertFacts, row) for row in raised}
    facts = []
    for row in rows:
        group = found.get(row["group_id"])
        facts.append(
            pick(
                ResponseFacts,
                row,
                missing=tuple(row["missing"]),
                alert=alerts.get(row["id"]),
                part2=group.part2 if group else False,
                sensitivity=group.sensitivity if group else Sensitivity.MENTAL_HEALTH,
            )
        )
    return facts


def consents(session: DbSession, ids: Ids) -> list[ConsentFacts]:
    rows = columns(session, Consent, ids)
    roots: dict[UUID, UUID] = {}
    where = {row["connection_id"] for row in rows}
    for facility in columns(session, Facility, where, "connection_id"):
        if facility["part_of_id"] is None:
            roots.setdefault(facility["connection_id"], facility["id"])
    return [
        pick(
            ConsentFacts,
            row,
            provision=provision_of(row),
            connection_facility_id=roots.get(row["connection_id"]),
        )
        for row in rows
    ]


PUBLIC_LOADERS: dict[str, Callable[[DbSession, Ids], list[Any]]] = {
    "programme": programmes,
    "place": places,
    "facilitator": facilitators,
    "instrument": instruments,
}
PATIENT_LOADERS: dict[str, Callable[[DbSession, Ids], list[Any]]] = {
    "patient": patients,
    "enrollment": enrollments,
    "response": responses,
    "consent": consents,
    "alert": alerts,
}
