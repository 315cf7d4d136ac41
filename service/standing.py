"""Whether who leads a group is in order: credentials in force, supervision not overdue.

No source prescribes either (ADR 0023): kinds, days and interval are the programme's own. Days are
those of UTC; the last day of a credential, and the day a session is due, still count.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlmodel import Session, col, func, select

from service.errors import BusinessRuleError
from service.models.facilitation import Credential, Supervision, SupervisionSession
from service.models.groups import Facilitator, GroupStatus, SupportGroup
from service.settings import Oversight

DAY = timedelta(days=1)
LAPSE = "who leads the group has credentials or supervision to put in order: tell the coordinator"
REFUSED = (
    "the group takes no new members until its coordinator has put in order the credentials or"
    " the supervision of who leads it"
)


class CredentialState(StrEnum):
    IN_FORCE = "in-force"
    EXPIRING = "expiring"
    EXPIRED = "expired"


class LapseKind(StrEnum):
    CREDENTIAL_EXPIRED = "credential-expired"
    SUPERVISION_OVERDUE = "supervision-overdue"


OVERSIGHT = "oversight"  # in a session's info


@dataclass(frozen=True, kw_only=True)
class Held:
    """The credential of one kind that lasts longest."""

    credential_id: UUID
    kind: str
    expires: date | None
    state: CredentialState


@dataclass(frozen=True, kw_only=True)
class Lapse:
    """What is not in order, and since which day; `credential` is its kind."""

    kind: LapseKind
    since: date
    credential: str | None = None


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How one facilitator stands on one day."""

    credentials: tuple[Held, ...]
    supervision: Supervision | None
    last_held_on: date | None
    next_due: date | None
    lapses: tuple[Lapse, ...]


def oversight_of(session: Session) -> Oversight:
    """Return what the operator decided: the database opens each session with it."""
    found: Oversight = session.info.get(OVERSIGHT) or Oversight()
    return found


def standings(
    session: Session, people: Sequence[Facilitator], now: datetime
) -> dict[UUID, Standing]:
    """Return how each of these facilitators stands today."""
    ids, today, oversight = [each.id for each in people], now.date(), oversight_of(session)
    held = _credentials(session, ids, _judge(today, oversight.notice))
    arranged = _arranged(session, ids)
    last = _last_held(session, ids)
    found = {}
    for person in people:
        due = _due(person, arranged.get(person.id), last.get(person.id), oversight)
        credentials = held[person.id]
        found[person.id] = Standing(
            credentials=credentials,
            supervision=arranged.get(person.id),
            last_held_on=last.get(person.id),
            next_due=due,
            lapses=tuple(_lapses(credentials, due, today)),
        )
    return found


def _judge(today: date, notice: timedelta) -> Callable[[date | None], CredentialState]:
    def state(expires: date | None) -> CredentialState:
        if expires is None or expires > today + notice:
            return CredentialState.IN_FORCE
        return CredentialState.EXPIRED if expires < today else CredentialState.EXPIRING

    return state


def _credentials(
    session: Session, ids: Iterable[UUID], judge: Callable[[date | None], CredentialState]
) -> dict[UUID, tuple[Held, ...]]:
    """Return the longest of each kind; a person may have renewed it, or hold it twice."""
    table, longest = Credential, defaultdict[UUID, dict[str, Credential]](dict)
    where = col(table.facilitator_id).in_(ids), col(table.counts).is_(True)
    for row in session.exec(select(table).where(*where).order_by(col(table.id))):
        kinds, kind = longest[row.facilitator_id], row.kind.casefold()
        if kind not in kinds or _last_day(row) > _last_day(kinds[kind]):
            kinds[kind] = row
    found = defaultdict[UUID, tuple[Held, ...]](tuple)
    for person, kinds in longest.items():
        found[person] = tuple(
            Held(credential_id=row.id, kind=row.kind, expires=row.expires, state=judge(row.expires))
            for row in kinds.values()
        )
    return found


def _last_day(row: Credential) -> date:
    return row.expires or date.max


def _arranged(session: Session, ids: Iterable[UUID]) -> dict[UUID, Supervision]:
    rows = session.exec(select(Supervision).where(col(Supervision.facilitator_id).in_(ids)))
    return {row.facilitator_id: row for row in rows}


def _last_held(session: Session, ids: Iterable[UUID]) -> dict[UUID, date]:
    of = col(SupervisionSession.facilitator_id)
    statement = select(of, func.max(SupervisionSession.held_on)).where(of.in_(ids)).group_by(of)
    return {person: day for person, day in session.exec(statement)}  # noqa: C416


def _due(
    person: Facilitator, arranged: Supervision | None, last: date | None, oversight: Oversight
) -> date | None:
    """Return the last day for the next session: the one that was set, else by the interval."""
    if arranged and arranged.next_due:
        return arranged.next_due
    if oversight.supervision_interval is None or not person.active:
        return None
    return (last or person.created_at.date()) + oversight.supervision_interval


def _lapses(credentials: Iterable[Held], due: date | None, today: date) -> Iterable[Lapse]:
    for held in credentials:
        if held.state is CredentialState.EXPIRED and held.expires:
            since = held.expires + DAY
            yield Lapse(kind=LapseKind.CREDENTIAL_EXPIRED, since=since, credential=held.kind)
    if due is not None and due < today:
        yield Lapse(kind=LapseKind.SUPERVISION_OVERDUE, since=due + DAY)


def lapses_of_group(session: Session, group: SupportGroup, now: datetime) -> tuple[Lapse, ...]:
    """Return what is not in order with who leads the group, unless nobody wants to know."""
    if group.facilitator_id is None or oversight_of(session).on_lapse == "off":
        return ()
    person = session.get(Facilitator, group.facilitator_id)
    return standings(session, [person], now)[person.id].lapses if person else ()


def warnings_of(session: Session, group: SupportGroup, now: datetime) -> list[str]:
    """Return what to tell whoever enrols people in the group: that something lapsed, not what."""
    return [LAPSE] if lapses_of_group(session, group, now) else []


def wanting(session: Session, now: datetime) -> tuple[int, int]:
    """Return how many active groups have a lapse, and how many of them take no new members."""
    active = col(SupportGroup.status) == GroupStatus.ACTIVE, col(SupportGroup.facilitator_id)
    led = session.exec(select(SupportGroup).where(active[0], active[1].is_not(None))).all()
    ids = {each.facilitator_id for each in led}
    people = session.exec(select(Facilitator).where(col(Facilitator.id).in_(ids))).all()
    found, oversight = standings(session, people, now), oversight_of(session)
    lapses = [found[each.facilitator_id].lapses for each in led if each.facilitator_id]
    return sum(map(bool, lapses)), sum(stops(oversight, each, now) for each in lapses)


def stops(oversight: Oversight, lapses: Iterable[Lapse], now: datetime) -> bool:
    """Return whether a lapse has lasted so long that no new members are taken."""
    if oversight.on_lapse != "stop":
        return False
    return any(each.since + oversight.grace <= now.date() for each in lapses)


def require_led(session: Session, group: SupportGroup, now: datetime) -> None:
    """Raise BusinessRuleError where who leads the group keeps it from taking new members.

    Which lapse it is, only the coordinator may know.
    """
    oversight = oversight_of(session)
    if oversight.on_lapse != "stop":
        return
    if stops(oversight, lapses_of_group(session, group, now), now):
        raise BusinessRuleError(REFUSED)
