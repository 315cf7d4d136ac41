"""Who is linked to which hospital, under which number, and what they agreed to."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from random import Random

from api.demo.data.reading import people
from api.demo.plan import ConsentPlan, LinkPlan, PatientPlan, draws
from api.demo.surroundings import HOSPITAL_A, HOSPITAL_B
from service.commands import CreatePatient
from service.models.consents import Category, Decision

LINKED_TO_BOTH = 12
FIRST_MRN = {HOSPITAL_A: 100_000, HOSPITAL_B: 700_000}
BASIC = (Category.ENROLLMENT, Category.ATTENDANCE, Category.SCORES)
# How many in a hundred, for a hospital with the policy `opt-in`: what they permit.
OPTED_IN: tuple[tuple[int, tuple[Category, ...]], ...] = (
    (20, BASIC),
    (50, (*BASIC, Category.ANSWERS, Category.ALERTS)),
    (12, tuple(Category)),
    (8, (Category.ENROLLMENT, Category.ATTENDANCE)),
    (10, ()),
)
# The same where the policy `treatment` permits already: most say nothing.
BESIDE_TREATMENT: tuple[tuple[int, dict[Category, Decision]], ...] = (
    (40, {}),
    (15, dict.fromkeys(BASIC, Decision.PERMIT)),
    (20, dict.fromkeys((*BASIC, Category.ANSWERS), Decision.PERMIT)),
    (15, {Category.ANSWERS: Decision.DENY}),
    (10, {Category.SCORES: Decision.DENY, Category.ANSWERS: Decision.DENY}),
)
COVERS_PART2 = 0.45
SHOWS_NAME = 0.2


def patients(
    chosen: Iterable[str], members: Iterable[str], intake: datetime
) -> tuple[PatientPlan, ...]:
    """Return everyone of `chosen`; those linked to both hospitals are among `members`."""
    known = dict(people())
    hospitals = _hospitals(sorted(chosen), sorted(members))
    return tuple(
        _patient(key, number, known[key], hospitals[key], intake)
        for number, key in enumerate(sorted(chosen))
    )


def _hospitals(chosen: list[str], members: list[str]) -> dict[str, tuple[str, ...]]:
    rng = draws("hospitals")
    both = set(rng.sample(members, min(LINKED_TO_BOTH, len(members) // 4)))
    rest = [key for key in chosen if key not in both]
    rng.shuffle(rest)
    found = {key: ((HOSPITAL_A, HOSPITAL_B)[n % 2],) for n, key in enumerate(rest)}
    return {**found, **dict.fromkeys(both, (HOSPITAL_A, HOSPITAL_B))}


def _patient(
    key: str, number: int, person: CreatePatient, hospitals: tuple[str, ...], intake: datetime
) -> PatientPlan:
    rng = draws(f"patient {key}")
    start = intake - timedelta(days=rng.randint(1, 6), hours=rng.randint(0, 5))
    consents = (c for hospital in hospitals for c in _consents(rng, hospital, start))
    return PatientPlan(
        key=key,
        person=person,
        links=tuple(_link(rng, hospital, number) for hospital in hospitals),
        consents=tuple(consents),
    )


def _link(rng: Random, hospital: str, number: int) -> LinkPlan:
    mrn = FIRST_MRN[hospital] + 37 * number + rng.randint(0, 36)
    return LinkPlan(hospital=hospital, mrn=str(mrn), ehr_patient_id=f"e{rng.getrandbits(60):015x}")


def _consents(rng: Random, hospital: str, start: datetime) -> list[ConsentPlan]:
    part2, named = rng.random() < COVERS_PART2, rng.random() < SHOWS_NAME
    said = _opted_in(rng) if hospital == HOSPITAL_A else _beside_treatment(rng)
    return [
        ConsentPlan(
            hospital=hospital,
            category=category,
            decision=decision,
            start=start,
            covers_part2=part2 and decision is Decision.PERMIT,
            shows_group_name=named and category is Category.ENROLLMENT,
        )
        for category, decision in said.items()
    ]


def _opted_in(rng: Random) -> dict[Category, Decision]:
    [(_, permitted)] = rng.choices(OPTED_IN, [weight for weight, _ in OPTED_IN])
    return dict.fromkeys(permitted, Decision.PERMIT)


def _beside_treatment(rng: Random) -> dict[Category, Decision]:
    [(_, said)] = rng.choices(BESIDE_TREATMENT, [weight for weight, _ in BESIDE_TREATMENT])
    return said
