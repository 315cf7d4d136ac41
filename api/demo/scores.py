"""PHQ-9 and GAD-7 of every member at weeks 0, 4, 8 and 12: made-up courses, better and worse."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from api.demo.plan import SCREENING_WEEKS, GroupPlan, ResponsePlan, SeriesPlan, draws
from service.instruments import Instrument, load_instruments
from service.models.screening import ResponseStatus

INSTRUMENTS = ("phq-9", "gad-7")
HIGHEST_ANSWER = 3
THOUGHTS_OF_DEATH = 0.28  # of PHQ-9 responses that answer their safety item with 1 or more
UNANSWERED = 0.012  # of responses that leave one item open, and so have no total


def series(groups: tuple[GroupPlan, ...]) -> tuple[SeriesPlan, ...]:
    """Return one series for each member, taken in the group that they are in first."""
    found: dict[str, SeriesPlan] = {}
    for group in groups:
        for one in group.enrollments:
            if one.joined is not None and one.patient not in found:
                found[one.patient] = SeriesPlan(
                    patient=one.patient,
                    group=group.command.public_name,
                    responses=_responses(one.patient, group),
                )
    return tuple(found.values())


def _responses(key: str, group: GroupPlan) -> tuple[ResponsePlan, ...]:
    rng = draws(f"scores {key}")
    level, change = rng.uniform(0.15, 0.75), rng.gauss(-0.08, 0.16)
    moments = tuple(_moments(rng, group))
    found = []
    for number, moment in enumerate(moments):
        now = level + change * number / (len(moments) - 1)
        for place, name in enumerate(INSTRUMENTS):
            severity = min(max(now + rng.gauss(0, 0.07), 0.02), 0.95)
            authored = moment + timedelta(minutes=5 * place)
            found.append(_response(rng, load_instruments()[name], severity, authored))
    return tuple(found)


def _moments(rng: Random, group: GroupPlan) -> Iterator[datetime]:
    """Yield when the forms are filled in: at intake, then before the session of that week."""
    for week in SCREENING_WEEKS:
        if week == 0:
            early = timedelta(days=rng.randint(1, 2), minutes=rng.randint(0, 300))
            yield group.sessions[0].start - early
        else:
            yield group.sessions[week - 1].start - timedelta(minutes=rng.randint(12, 45))


def _response(
    rng: Random, instrument: Instrument, severity: float, authored: datetime
) -> ResponsePlan:
    safety = {rule.link_id for rule in instrument.safety}
    answers = {
        item.link_id: _answer(rng, severity)
        for item in instrument.items
        if item.link_id not in safety
    }
    for link_id in safety:
        answers[link_id] = rng.randint(1, 2) if rng.random() < THOUGHTS_OF_DEATH else 0
    if rng.random() < UNANSWERED:
        del answers[instrument.scored_items[rng.randrange(len(instrument.scored_items))].link_id]
    in_order = {i.link_id: answers[i.link_id] for i in instrument.items if i.link_id in answers}
    return ResponsePlan(
        instrument=instrument.id,
        answers=in_order,
        authored=authored,
        status=ResponseStatus.COMPLETED,
    )


def _answer(rng: Random, severity: float) -> int:
    """Return an answer about as high as the person's severity, 0 to 1."""
    return sum(rng.random() < severity for _ in range(HIGHEST_ANSWER))
