"""What a hospital may have of a person: every rule of the decision, one at a time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.disclosures import Provision, disclosure, next_change, permits
from service.models.connections import ConsentPolicy
from service.models.consents import Category, Decision

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
DAY = timedelta(days=1)
OPT_IN, TREATMENT = ConsentPolicy


def provision(**more: Any) -> Provision:
    values: dict[str, Any] = {
        "category": Category.SCORES,
        "decision": Decision.PERMIT,
        "start": NOW - DAY,
        "end": None,
        "covers_part2": False,
        "shows_group_name": False,
        "withdrawn_at": None,
    }
    return Provision(**{**values, **more})


def allowed(
    *rows: Provision, policy: ConsentPolicy = OPT_IN, part2: bool = False, now: datetime = NOW
) -> bool:
    return permits(policy, rows, Category.SCORES, now=now, part2=part2)


def test_nothing_is_permitted_without_a_row_under_opt_in() -> None:
    assert not allowed()


def test_treatment_permits_without_a_row() -> None:
    assert allowed(policy=TREATMENT)


def test_item_answers_take_a_row_under_either_policy() -> None:
    for policy in (OPT_IN, TREATMENT):
        assert not permits(policy, [], Category.ANSWERS, now=NOW, part2=False)
        row = provision(category=Category.ANSWERS)
        assert permits(policy, [row], Category.ANSWERS, now=NOW, part2=False)


def test_treatment_never_permits_part_2_without_a_row() -> None:
    assert not allowed(policy=TREATMENT, part2=True)


def test_a_permit_covers_part_2_only_when_it_says_so() -> None:
    assert not allowed(provision(), part2=True)
    assert allowed(provision(covers_part2=True), part2=True)


@pytest.mark.parametrize("policy", [OPT_IN, TREATMENT])
def test_a_denial_wins_over_a_permit(policy: ConsentPolicy) -> None:
    assert not allowed(provision(), provision(decision=Decision.DENY), policy=policy)


@pytest.mark.parametrize("policy", [OPT_IN, TREATMENT])
def test_a_withdrawn_permit_refuses_under_either_policy(policy: ConsentPolicy) -> None:
    assert not allowed(provision(withdrawn_at=NOW), policy=policy)


def test_a_new_permit_after_a_withdrawal_permits() -> None:
    assert allowed(provision(withdrawn_at=NOW), provision())


def test_a_withdrawn_denial_leaves_the_policy_in_force() -> None:
    denial = provision(decision=Decision.DENY, withdrawn_at=NOW)
    assert allowed(denial, policy=TREATMENT)
    assert not allowed(denial)


@pytest.mark.parametrize(
    ("now", "expected"), [(NOW - DAY, True), (NOW - 2 * DAY, False), (NOW + DAY, False)]
)
def test_a_period_includes_its_start_and_not_its_end(now: datetime, expected: bool) -> None:
    assert allowed(provision(end=NOW + DAY), now=now) is expected


def test_other_categories_say_nothing() -> None:
    assert not allowed(provision(category=Category.ANSWERS))


def test_the_group_name_needs_a_permit_of_enrolment_in_force() -> None:
    def named(**more: Any) -> bool:
        row = provision(shows_group_name=True, **{"category": Category.ENROLLMENT, **more})
        return disclosure(OPT_IN, [row], NOW).shows_group_name

    assert named()
    assert not named(category=Category.SCORES)
    assert not named(decision=Decision.DENY)
    assert not named(withdrawn_at=NOW)
    assert not named(end=NOW)


def test_a_denial_of_enrolment_hides_the_group_name_that_a_permit_shows() -> None:
    permit = provision(category=Category.ENROLLMENT, shows_group_name=True)
    denial = provision(category=Category.ENROLLMENT, decision=Decision.DENY)
    given = disclosure(OPT_IN, [permit, denial], NOW)
    assert not given.names_group(part2=False)


def test_the_name_of_a_part_2_group_takes_a_permit_that_covers_part_2() -> None:
    named = provision(category=Category.ENROLLMENT, shows_group_name=True)
    unnamed = provision(category=Category.ENROLLMENT, covers_part2=True)
    given = disclosure(OPT_IN, [named, unnamed], NOW)
    assert given.names_group(part2=False)
    assert given.permits(Category.ENROLLMENT, part2=True)
    assert not given.names_group(part2=True)


def test_the_next_change_is_the_first_begin_or_end_to_come() -> None:
    rows = [
        provision(start=NOW + 2 * DAY),
        provision(end=NOW + DAY),
        provision(end=NOW + timedelta(hours=1), withdrawn_at=NOW),
    ]
    assert next_change(rows, NOW) == NOW + DAY
    assert next_change([provision()], NOW) is None
