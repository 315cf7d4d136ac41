"""Who is in which group, how the enrolment goes, and who comes to which session."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from random import Random

from api.demo.circles import CIRCLES, Circle
from api.demo.plan import PAST_WEEKS, EnrollmentPlan, GroupPlan, MarkPlan, SessionPlan, Step, draws
from api.demo.schedule import LENGTH, WEEK, meetings
from service.models.enrollments import AttendanceMark, EnrollmentStatus
from service.models.groups import Promotion

PROPOSED, WAITLISTED, _OFFERED, ACTIVE, ON_HOLD, FINISHED = EnrollmentStatus
REASONS = (
    "Moved away",
    "Feels that the group is no longer needed",
    "Work hours changed",
    "Changed to another group",
)
MARKS = (AttendanceMark.LATE, AttendanceMark.ABSENT, AttendanceMark.EXCUSED)
NOT_PRESENT = (6, 11, 8)  # in a hundred, as in MARKS
UNRECORDED = 0  # the group whose facilitator has not handed in the latest list


def groups(adults: Iterable[str], today: date) -> tuple[GroupPlan, ...]:
    """Return the seven groups with their members and sessions."""
    members = _shares(sorted(adults))
    return tuple(
        _group(circle, number, members[number], today) for number, circle in enumerate(CIRCLES)
    )


def _shares(adults: list[str]) -> list[list[str]]:
    """Return the members of each group: everyone is in one before anyone is in two."""
    rng = draws("groups")
    rng.shuffle(adults)
    shares: list[list[str]] = [[] for _ in CIRCLES]
    wanted = [n for seat in range(20) for n, c in enumerate(CIRCLES) if seat < c.members]
    for key, number in zip(adults, wanted, strict=False):
        shares[number].append(key)
    for number in wanted[len(adults) : len(adults) + len(adults) // 3]:
        shares[number].append(rng.choice([key for key in adults if key not in shares[number]]))
    return shares


def _group(circle: Circle, number: int, members: list[str], today: date) -> GroupPlan:
    rng = draws(f"group {number}")
    starts = meetings(today, circle.weekday, circle.begins)
    enrollments = tuple(
        EnrollmentPlan(patient=key, steps=_steps(rng, place, len(members), starts[0]))
        for place, key in enumerate(members)
    )
    seats = max(circle.command.capacity, len(members))
    # By hand, so that who is told of as waiting still waits when the demo is looked at.
    command = replace(circle.command, capacity=seats, promotion=Promotion.MANUAL)
    sessions = _sessions(rng, circle, enrollments, starts)
    return GroupPlan(
        command=command,
        place=circle.place,
        facilitator=circle.facilitator,
        enrollments=enrollments,
        sessions=_without_latest_list(sessions) if number == UNRECORDED else sessions,
    )


def _steps(rng: Random, place: int, of: int, first: datetime) -> tuple[Step, ...]:
    """Return one course; the last places are those who wait, stop or pause."""
    asked = first - timedelta(days=rng.randint(12, 15), hours=rng.randint(1, 6))
    joined = Step(status=ACTIVE, at=first - timedelta(days=rng.randint(3, 6), hours=2))
    later = first + rng.randint(3, 9) * WEEK + timedelta(days=2)
    reason = rng.choice(REASONS)
    seat = Step(status=ACTIVE, at=first + 2 * WEEK - timedelta(days=1), reason="A seat was free")
    last = {
        1: (Step(status=PROPOSED, at=first + 11 * WEEK - timedelta(days=3)),),
        2: (Step(status=WAITLISTED, at=later),),
        3: (joined, Step(status=ON_HOLD, at=later, reason="Asked for a break")),
        4: (joined, Step(status=FINISHED, at=later, reason=reason)),
        5: (joined, Step(status=FINISHED, at=later + WEEK, reason=reason)),
        6: (Step(status=WAITLISTED, at=asked), seat),
    }
    proposed_first = (Step(status=PROPOSED, at=asked), joined)
    return last.get(of - place, proposed_first if place % 3 == 0 else (joined,))


def _sessions(
    rng: Random,
    circle: Circle,
    enrollments: tuple[EnrollmentPlan, ...],
    starts: tuple[datetime, ...],
) -> tuple[SessionPlan, ...]:
    found = []
    presence = {one.patient: rng.uniform(0.6, 0.92) for one in enrollments}
    for number, start in enumerate(starts):
        planned = SessionPlan(start=start, end=start + LENGTH)
        if circle.cancelled and circle.cancelled[0] == number:
            planned = replace(planned, cancel_reason=circle.cancelled[1])
        elif number < PAST_WEEKS:
            there = [one.patient for one in enrollments if one.attends(start)]
            marks = tuple(_mark(rng, key, presence[key], start) for key in there)
            planned = replace(planned, marks=marks)
        found.append(planned)
    return tuple(found)


def _mark(rng: Random, key: str, presence: float, start: datetime) -> MarkPlan:
    if rng.random() < presence:
        return MarkPlan(patient=key, mark=AttendanceMark.PRESENT)
    [mark] = rng.choices(MARKS, NOT_PRESENT)
    late = mark is AttendanceMark.LATE
    arrived = start + timedelta(minutes=rng.randint(6, 35)) if late else None
    return MarkPlan(patient=key, mark=mark, arrived_at=arrived)


def _without_latest_list(sessions: tuple[SessionPlan, ...]) -> tuple[SessionPlan, ...]:
    latest = PAST_WEEKS - 1
    bare = replace(sessions[latest], marks=())
    return (*sessions[:latest], bare, *sessions[latest + 1 :])
