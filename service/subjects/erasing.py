"""An erasure, step by step: each is a unit of work, and what was stopped goes on (ADR 0039).

First nothing of the person goes to a hospital any more. Then rows go, table by table, and their
documents with them; then what is left of those documents; then, where nothing is kept, the person.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from sqlalchemy import delete
from sqlmodel import Session as DbSession
from sqlmodel import col, select

from service.audit.pseudonyms import KEYS
from service.commands import SettleGroup
from service.database import Database
from service.errors import BusinessRuleError, BusyError, ConflictError
from service.handlers import execute, with_groups
from service.idempotency import forget_answers
from service.models.aggregates import Aggregate, group_aggregate, patient_aggregate
from service.models.base import Row
from service.models.documents import ProjectionDue
from service.models.enrollments import Attendance, Enrollment
from service.models.imports import ImportKey
from service.models.patients import Patient
from service.models.screening import Alert
from service.models.subjects import Basis, ErasedMark, Erasure, Restriction
from service.rows import get, require_text
from service.subjects import forgetting, traces
from service.subjects.holding import Holding, Kind
from service.subjects.holdings import ERASURES, HOLDINGS, PERSON, RESTRICTIONS
from service.subjects.planning import Plan, plan
from service.subjects.retention import Rule

AT_ONCE = 100
CHANGED = "the records are not as they were planned for: read the plan again"
NOTHING = "nothing may be erased yet: the plan says why, and until when"
REASON = "The person's data is being erased"
# Who is kept by law stays restricted, and nobody else has the other two.
STEPS = tuple(each for each in reversed(HOLDINGS) if each not in {PERSON, RESTRICTIONS, ERASURES})

Progress = Callable[[int, int], None]
Forgotten = Callable[[UUID], None]
Step = Callable[[DbSession, Erasure, int], int]


@dataclass(frozen=True, kw_only=True)
class EraseData:
    """Do what was planned; `digest` is the plan's."""

    patient_id: UUID
    digest: str
    basis: Basis
    erased_by: str


def erase(
    database: Database,
    command: EraseData,
    rules: tuple[Rule, ...],
    progress: Progress | None = None,
    forgotten: Forgotten | None = None,
) -> Erasure:
    """Erase what may be erased; what was stopped goes on, whatever its plan says by now.

    `progress` is told how many rows are erased, of how many; `forgotten` each record whose audit
    key was destroyed.

    Raises:
        ConflictError: the records are not as they were planned for.
        BusinessRuleError: nothing may be erased.
    """
    now = database.clock()
    locks = database.read(lambda session: with_groups(session, command.patient_id))
    erasure_id, total = database.unit_of_work(
        lambda session: _begin(session, command, rules, now), *locks
    )
    work = _Work(database, erasure_id)
    done = 0
    for step in (_stop_disclosing, _rows, _person, _documents):
        while (count := work.do(step)) > 0:
            done += count
            if progress is not None:
                progress(min(done, total), total)
    return _ended(database, erasure_id, now, forgotten)


def _ended(
    database: Database, erasure_id: UUID, now: datetime, forgotten: Forgotten | None
) -> Erasure:
    groups, family = database.read(
        lambda session: [list(_ids(session, erasure_id, name)) for name in ("groups", "family")]
    )
    erasure: Erasure = database.unit_of_work(partial(_end, erasure_id=erasure_id, now=now), KEYS)
    if forgotten is not None and not erasure.kept:
        for each in family:
            forgotten(each)
    for group in groups:  # a seat that is free is offered
        execute(database, SettleGroup(group_id=group))
    return erasure


@dataclass(frozen=True)
class _Work:
    database: Database
    erasure_id: UUID

    def do(self, step: Step) -> int:
        """Do one step, under the locks of the person's records and groups.

        Whoever has more documents than a change may take time for is the only one for a while.
        """
        try:
            return self.database.unit_of_work(
                lambda session: self._run(session, step), *self.database.read(self._locks)
            )
        except BusyError:
            return self.database.unit_of_work_alone(lambda session, _: self._run(session, step))

    def _run(self, session: DbSession, step: Step) -> int:
        row = get(session, Erasure, self.erasure_id)
        return step(session, row, self.database.stamp(session))

    def _locks(self, session: DbSession) -> list[Aggregate]:
        people = _ids(session, self.erasure_id, "family")
        groups = _ids(session, self.erasure_id, "groups")
        return [*map(patient_aggregate, people), *map(group_aggregate, groups)]


def _begin(
    session: DbSession, command: EraseData, rules: tuple[Rule, ...], now: datetime
) -> tuple[UUID, int]:
    require_text(command.erased_by, "erased_by")
    if (begun := _begun(session, command.patient_id)) is not None:
        return begun.id, sum(begun.erased.values())
    planned = plan(session, command.patient_id, rules, now)
    if planned.digest != command.digest:
        raise ConflictError(CHANGED, element="digest")
    if not planned.kinds:
        raise BusinessRuleError(NOTHING)
    row = _noted(session, planned, command, now)
    session.add(row)
    return row.id, sum(row.erased.values())


def _begun(session: DbSession, patient_id: UUID) -> Erasure | None:
    """Return an erasure of this person that was stopped; the record itself may be gone by now."""
    return next(
        (each for each in unfinished(session) if patient_id.hex in each.pending["family"]), None
    )


def unfinished(session: DbSession) -> list[Erasure]:
    """Return the erasures that were begun and are not done."""
    return list(session.exec(select(Erasure).where(col(Erasure.done_at).is_(None))))


def _noted(session: DbSession, planned: Plan, command: EraseData, now: datetime) -> Erasure:
    family = list(planned.family)
    groups = select(Enrollment.group_id).where(col(Enrollment.patient_id).in_(family)).distinct()
    kept = [
        {
            "kind": each.kind.value,
            "rows": each.rows,
            "until": each.until.isoformat() if each.until else None,
            "why": each.why,
        }
        for each in planned.kept
    ]
    return Erasure(
        patient_id=planned.person,
        basis=command.basis,
        began_at=now,
        erased_by=command.erased_by,
        erased={each.kind.value: each.rows for each in planned.parts if each.is_erased},
        kept=kept,
        pending={
            "kinds": sorted(planned.kinds),
            "family": [each.hex for each in family],
            "groups": [each.hex for each in session.exec(groups)],
        },
        created_at=now,
    )


def _stop_disclosing(session: DbSession, erasure: Erasure, _stamp: int) -> int:
    """Let nothing of the person go to a hospital any more."""
    patient_id = erasure.patient_id
    if patient_id is None or session.get(Patient, patient_id) is None:
        return 0
    unlifted = (Restriction.patient_id == patient_id, col(Restriction.lifted_at).is_(None))
    rows = session.exec(select(Restriction).where(*unlifted)).all()
    for row in rows:
        row.until = None  # what is kept is not disclosed again by the clock
    if not rows:
        row = Restriction(
            patient_id=patient_id,
            reason=REASON,
            restricted_at=erasure.began_at,
            restricted_by=erasure.erased_by,
            created_at=erasure.began_at,
        )
        session.add(row)
    return 0


def _ids(session: DbSession, erasure_id: UUID, name: str) -> Iterable[UUID]:
    return [UUID(each) for each in get(session, Erasure, erasure_id).pending.get(name, ())]


def _rows(session: DbSession, erasure: Erasure, _stamp: int) -> int:
    """Delete some rows of the last table that has any; return how many there were."""
    family = [UUID(each) for each in erasure.pending["family"]]
    for holding in STEPS:
        if holding.kind.value not in erasure.pending["kinds"]:
            continue
        found = select(holding.table).where(holding.where(family))
        newest = found.order_by(col(holding.table.id).desc()).limit(AT_ONCE)
        if rows := session.exec(newest).all():
            _delete(session, holding, rows)
            return len(rows)
    return 0


def _delete(session: DbSession, holding: Holding, rows: Iterable[Row]) -> None:
    ids = [row.id for row in rows]
    session.execute(delete(ImportKey).where(col(ImportKey.row_id).in_(ids)))
    for row in rows:
        if isinstance(row, Attendance):
            _tally(session, row)
        if isinstance(row, Alert):
            traces.forget_messages(session, row.id)
        session.delete(row)
        if holding.table is Enrollment:  # one may have been transferred from another
            session.flush()
    session.flush()
    if holding.table is Enrollment:
        due = [each.hex for each in ids]
        session.execute(delete(ProjectionDue).where(col(ProjectionDue.key).in_(due)))


def _tally(session: DbSession, mark: Attendance) -> None:
    """Keep the number of those who came to a session true, and nothing else."""
    where = (ErasedMark.session_id == mark.session_id, ErasedMark.mark == mark.mark)
    row = session.exec(select(ErasedMark).where(*where)).first()
    if row is None:
        session.add(ErasedMark(session_id=mark.session_id, mark=mark.mark, people=1))
    else:
        row.people += 1


def _person(session: DbSession, erasure: Erasure, _stamp: int) -> int:
    """Delete who the person is, or how to reach them where the law keeps the rest."""
    family = [UUID(each) for each in erasure.pending["family"]]
    if Kind.PERSON.value not in erasure.pending["kinds"]:
        return forgetting.forget_contact(session, family)
    forgetting.delete_records(session, family)
    return 0


def _documents(session: DbSession, erasure: Erasure, stamp: int) -> int:
    """Destroy what is left of some documents; return how many there were."""
    family = [UUID(each) for each in erasure.pending["family"]]
    kinds = erasure.pending["kinds"]
    return traces.clear(session, family, stamp, sent=Kind.DOCUMENTS.value in kinds)


def _end(session: DbSession, erasure_id: UUID, now: datetime) -> Erasure:
    """Note that it is done; whose data it was only where some of it is kept."""
    row = get(session, Erasure, erasure_id)
    pending = row.pending
    if Kind.ENROLMENTS.value in pending.get("kinds", ()):
        traces.clear_rosters(session, pending["groups"])
    traces.forget_due(session, pending.get("family", ()))
    if Kind.PERSON.value in pending.get("kinds", ()):
        forgetting.unname(session, [UUID(each) for each in pending["family"]])
    forget_answers(session)
    row.done_at, row.pending = now, {}
    if not row.kept:  # and so of those before it, which had kept something
        of_them = select(Erasure).where(Erasure.patient_id == row.patient_id)
        for each in session.exec(of_them).all():
            each.patient_id = None
    return row
