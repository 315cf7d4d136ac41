"""What an erasure would erase, what not, and why: told before anything is done."""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session as DbSession
from sqlmodel import col, select

from service.driver import chunks, fetched, marks
from service.fhir.rebuild import TABLES, VISIT
from service.models.concerns import Concern, ConcernStatement
from service.models.enrollments import Attendance, Enrollment
from service.models.groups import Session
from service.models.patients import Patient
from service.models.screening import Response
from service.patients import survivor
from service.rows import get
from service.subjects.documents import Held, held
from service.subjects.holding import NEEDS, Holding, Kind, family_of, rows_of
from service.subjects.holdings import ERASURES, HOLDINGS
from service.subjects.retention import CountedFrom, Rule, keeping

MADE_FROM_ROWS = frozenset({*TABLES, VISIT})
NOT_STATED = "no rule was stated for how long it is kept: state one (ALONGSIDE_RETENTION_FILE)"
NOT_KNOWN = "the day of birth, from which its rule counts, is not known"
NAMES_THEM = "says whom the records that are kept are about"
REFERRING = (
    "SELECT COUNT(DISTINCT r.document) FROM document_references r"
    " JOIN documents d ON d.number = r.document AND d.audience = r.audience"
    " WHERE r.target IN (SELECT id FROM documents WHERE patient_key IN ({marks})"
    " AND audience > 0 AND type = 'Patient')"
    " AND d.owner = 'client' AND NOT d.deleted AND d.patient_key IS NULL"
)


@dataclass(frozen=True, kw_only=True)
class Part:
    """One kind of record; `until` is the first day on which nothing keeps it."""

    kind: Kind
    rows: int
    is_erased: bool
    until: date | None = None
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """`digest` names this state of the records: an erasure is done as it was planned, or not."""

    person: UUID
    family: frozenset[UUID]
    parts: tuple[Part, ...]
    by_hand: tuple[str, ...]
    digest: str

    @property
    def kinds(self) -> frozenset[Kind]:
        return frozenset(each.kind for each in self.parts if each.is_erased)

    @property
    def kept(self) -> tuple[Part, ...]:
        return tuple(each for each in self.parts if not each.is_erased)


def plan(session: DbSession, patient_id: UUID, rules: Iterable[Rule], now: datetime) -> Plan:
    """Return what would be erased of this person today.

    Raises:
        NotFoundError: there is no such patient.
    """
    person = survivor(session, get(session, Patient, patient_id))
    family = family_of(session, person.id)
    found = {each: rows_of(session, each, family) for each in HOLDINGS if each is not ERASURES}
    sent = [each for each in held(session, family) if is_sent(each) and not each.deleted]
    counts = _counts(found, len(sent))
    counted = {
        CountedFrom.LAST_CONTACT: _last_contact(session, family, person, now),
        CountedFrom.BIRTH: person.birth_date,
    }
    parts = [
        _part(kind, rows, tuple(rules), {**counted, CountedFrom.RECORD: _newest(found, kind)}, now)
        for kind, rows in counts.items()
    ]
    decided = tuple(_with_what_they_need(parts))
    return Plan(
        person=person.id,
        family=frozenset(family),
        parts=decided,
        by_hand=tuple(_by_hand(session, family)),
        digest=_digest(person.id, decided, found, sent),
    )


def is_sent(document: Held) -> bool:
    """Tell whether a client's document is kept as it came, and is made from no row."""
    return document.source.partition(":")[0] not in MADE_FROM_ROWS


def _counts(found: dict[Holding, list[Any]], sent: int) -> dict[Kind, int]:
    counts = dict.fromkeys(Kind, 0)
    for each, rows in found.items():
        counts[each.kind] += len(rows)
    counts[Kind.DOCUMENTS] = sent
    return {kind: rows for kind, rows in counts.items() if rows}


def _part(
    kind: Kind,
    rows: int,
    rules: tuple[Rule, ...],
    counted: dict[CountedFrom, date | None],
    now: datetime,
) -> Part:
    kept = keeping(rules, kind, counted)
    if kept is None:
        return Part(kind=kind, rows=rows, is_erased=False, why=NOT_STATED)
    until, source = kept
    if until is None:
        return Part(kind=kind, rows=rows, is_erased=False, why=NOT_KNOWN)
    if until <= now.date():
        return Part(kind=kind, rows=rows, is_erased=True)
    return Part(kind=kind, rows=rows, is_erased=False, until=until, why=source)


def _with_what_they_need(parts: list[Part]) -> Iterable[Part]:
    """Keep what is needed to understand what is kept, and who the person is."""
    kept = {each.kind for each in parts if not each.is_erased}
    needed = {other: kind for kind in sorted(kept) for other in NEEDS.get(kind, ())}
    ends = [each.until for each in parts if not each.is_erased]
    latest = None if None in ends else max((end for end in ends if end), default=None)
    for each in parts:
        if each.is_erased and each.kind in needed:
            why = f"is needed to understand: {needed[each.kind].value}"
            yield Part(kind=each.kind, rows=each.rows, is_erased=False, until=latest, why=why)
        elif each.is_erased and each.kind is Kind.PERSON and kept:
            yield Part(
                kind=each.kind, rows=each.rows, is_erased=False, until=latest, why=NAMES_THEM
            )
        else:
            yield each


def _newest(found: dict[Holding, list[Any]], kind: Kind) -> date:
    made = [row.created_at for each, rows in found.items() if each.kind is kind for row in rows]
    return max(made).date() if made else date.min


def _last_contact(
    session: DbSession, family: Collection[UUID], person: Patient, now: datetime
) -> date:
    """Return the last day of which the records tell; today for who is in a group."""
    ids = list(family)
    seats = session.exec(select(Enrollment.end).where(col(Enrollment.patient_id).in_(ids))).all()
    met = (
        select(Session.start)
        .join(Attendance, col(Attendance.session_id) == col(Session.id))
        .where(col(Attendance.patient_id).in_(ids))
    )
    answered = select(Response.authored).where(col(Response.patient_id).in_(ids))
    moments = [person.created_at, *(end or now for end in seats)]
    latest: datetime = max([*moments, *session.exec(met), *session.exec(answered)])
    return latest.date()


def _by_hand(session: DbSession, family: Collection[UUID]) -> Iterable[str]:
    """Yield what no rule reaches: somebody has to look at it."""
    for part in chunks(family):
        ((count,),) = fetched(session, marks(REFERRING, part), part)
        if count:
            yield f"{count} documents of clients are about nobody alone and refer to the person"
    groups = select(Enrollment.group_id).where(col(Enrollment.patient_id).in_(list(family)))
    said = select(Concern.id).join(ConcernStatement).where(col(Concern.group_id).in_(groups))
    for concern in session.exec(said):
        yield f"what was said as concern {concern} of a group of theirs may name the person"


def _digest(
    person: UUID, parts: Iterable[Part], found: dict[Holding, list[Any]], sent: list[Held]
) -> str:
    told = [person.hex, *(f"{each.kind}{each.is_erased}{each.until}" for each in parts)]
    told += [f"{row.id.hex}{row.row_version}" for rows in found.values() for row in rows]
    told += [f"{each.id}{each.version}" for each in sent]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:32]
