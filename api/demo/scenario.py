"""Draws up the demo's plan for one day."""

from datetime import date

from api.demo import membership, people, scores, surroundings
from api.demo.data.reading import people as everyone
from api.demo.plan import Plan
from api.demo.schedule import intake

ADULT, OLDEST = 18, 95


def make_plan(today: date, *, persons: int | None = None) -> Plan:
    """Return the plan for this day: everyone, or only the first `persons` people.

    Synthea's people were born when they were born: only adults of today are in a group.
    """
    chosen = everyone()[:persons]
    adults = [
        key
        for key, person in chosen
        if person.birth_date and ADULT <= _age(person.birth_date, today) <= OLDEST
    ]
    groups = membership.groups(adults, today)
    return Plan(
        today=today,
        connections=surroundings.connections(),
        places=surroundings.places(),
        facilitators=surroundings.facilitators(),
        patients=people.patients([key for key, _ in chosen], adults, intake(today)),
        groups=groups,
        series=scores.series(groups),
    )


def _age(born: date, today: date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
