"""What a hospital may have of a person: every rule of the decision, one at a time."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from service.disclosures import Declared, decide, declared, next_change
from service.models.connections import ConsentPolicy
from service.models.consents import Category, Consent, Decision, Label, Purpose
from service.models.provisions import Provision
from service.weighing import Content

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
DAY = timedelta(days=1)
OPT_IN, TREATMENT = ConsentPolicy


def rule(**more: Any) -> Provision:
    values: dict[str, Any] = {
        "decision": Decision.PERMIT,
        "start": NOW - DAY,
        "categories": {Category.SCORES},
        "purposes": {Purpose.TREATMENT} if more.get("decision") is not Decision.DENY else (),
        **more,
    }
    for name in ("categories", "purposes", "labels"):
        values[name] = frozenset(values.get(name, ()))
    return Provision(**values)


def provision(withdrawn: bool = False, *, waits: bool = False, **more: Any) -> Declared:
    if category := more.pop("category", None):
        more["categories"] = {category}
    return Declared(provision=rule(**more).within(), withdrawn=withdrawn, waits=waits)


def given(
    *rows: Declared,
    policy: ConsentPolicy = OPT_IN,
    now: datetime = NOW,
    category: Category = Category.SCORES,
    **content: Any,
) -> int:
    return decide(policy, rows, Content(category, **content), now).given


def allowed(*rows: Declared, purpose: Purpose = Purpose.TREATMENT, **more: Any) -> bool:
    return bool(given(*rows, **more) & purpose.bit)


def test_nothing_is_permitted_without_a_row_under_opt_in() -> None:
    assert not allowed()


def test_treatment_permits_without_a_row() -> None:
    assert allowed(policy=TREATMENT)


def test_item_answers_take_a_row_under_either_policy() -> None:
    for policy in (OPT_IN, TREATMENT):
        assert not allowed(policy=policy, category=Category.ANSWERS)
        row = provision(category=Category.ANSWERS)
        assert allowed(row, policy=policy, category=Category.ANSWERS)


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
    assert not allowed(provision(withdrawn=True), policy=policy)


def test_what_a_machine_whose_clock_is_ahead_withdrew_is_withdrawn() -> None:
    row = Consent(
        patient_id=uuid4(), connection_id=uuid4(), start=NOW - DAY, recorded_by="t",
        decision=Decision.PERMIT, categories=["scores"], purposes=["TREAT"],
    )  # fmt: skip
    assert allowed(declared(row.model_dump()))
    row.withdrawn_at = NOW + timedelta(seconds=5)
    assert not allowed(declared(row.model_dump()))


def test_a_new_permit_after_a_withdrawal_permits() -> None:
    assert allowed(provision(withdrawn=True), provision())


def test_a_withdrawn_denial_leaves_the_policy_in_force() -> None:
    denial = provision(decision=Decision.DENY, withdrawn=True)
    assert allowed(denial, policy=TREATMENT)
    assert not allowed(denial)


@pytest.mark.parametrize(
    ("now", "expected"), [(NOW - DAY, True), (NOW - 2 * DAY, False), (NOW + DAY, False)]
)
def test_a_period_includes_its_start_and_not_its_end(now: datetime, expected: bool) -> None:
    assert allowed(provision(end=NOW + DAY), now=now) is expected


def test_other_categories_say_nothing() -> None:
    assert not allowed(provision(category=Category.ANSWERS))


def named(*rows: Declared, part2: bool = False) -> bool:
    return allowed(*rows, category=Category.ENROLLMENT, part2=part2, names_group=True)


def enrolment(**more: Any) -> Declared:
    return provision(**{"category": Category.ENROLLMENT, **more})


def test_the_group_name_needs_a_permit_of_enrolment_in_force() -> None:
    assert named(enrolment(shows_group_name=True))
    assert not named(enrolment())
    assert not named(enrolment(shows_group_name=True, category=Category.SCORES))
    assert not named(enrolment(shows_group_name=True, decision=Decision.DENY))
    assert not named(enrolment(shows_group_name=True, withdrawn=True))
    assert not named(enrolment(shows_group_name=True, end=NOW))


def test_a_denial_of_enrolment_hides_the_group_name_that_a_permit_shows() -> None:
    denial = enrolment(decision=Decision.DENY)
    assert not named(enrolment(shows_group_name=True), denial)


def test_the_name_of_a_part_2_group_takes_a_permit_that_covers_part_2() -> None:
    both = enrolment(shows_group_name=True), enrolment(covers_part2=True)
    assert named(*both)
    assert allowed(*both, category=Category.ENROLLMENT, part2=True)
    assert not named(*both, part2=True)


def test_the_next_change_is_the_first_begin_or_end_to_come() -> None:
    rows = [
        provision(start=NOW + 2 * DAY),
        provision(end=NOW + DAY),
        provision(end=NOW + timedelta(hours=1), withdrawn=True),
    ]
    assert next_change(rows, NOW) == NOW + DAY
    assert next_change([provision()], NOW) is None


def test_a_permit_is_for_its_purposes_alone() -> None:
    row = provision(purposes={Purpose.PAYMENT})
    assert allowed(row, purpose=Purpose.PAYMENT)
    assert not allowed(row)
    assert allowed(provision(purposes=()), purpose=Purpose.MARKETING)


def test_a_denial_for_one_purpose_leaves_the_others() -> None:
    rows = (
        provision(purposes=()),
        provision(decision=Decision.DENY, purposes={Purpose.RESEARCH}),
    )
    assert allowed(*rows)
    assert not allowed(*rows, purpose=Purpose.RESEARCH)


def test_the_policy_gives_for_treatment_alone() -> None:
    assert given(policy=TREATMENT) == Purpose.TREATMENT.bit


def test_an_exception_goes_before_what_it_excepts_from() -> None:
    inner = rule(decision=Decision.PERMIT, purposes=(), categories=(), start=None)
    deny = rule(decision=Decision.DENY, labels={Label.PSYCHIATRY}, categories=(), start=None)
    row = provision(provisions=(deny,))
    assert not allowed(row, sensitivity="PSY")
    assert allowed(row, sensitivity="ETH")
    back = rule(decision=Decision.DENY, categories=(), start=None, provisions=(inner,))
    assert allowed(provision(provisions=(back,)))


def test_among_exceptions_of_one_depth_a_denial_wins() -> None:
    permit = rule(categories=(), start=None)
    deny = rule(decision=Decision.DENY, categories=(), start=None)
    for pair in ((permit, deny), (deny, permit)):
        assert not allowed(provision(decision=Decision.DENY, provisions=pair))


def test_an_exception_may_reach_beyond_the_labels_of_what_it_excepts_from() -> None:
    wider = rule(labels={Label.PSYCHIATRY, Label.VERY_RESTRICTED}, categories=(), start=None)
    row = provision(labels={Label.NORMAL}, provisions=(wider,))
    assert not allowed(row, confidentiality="R", sensitivity="ETH")
    assert allowed(row, confidentiality="V", sensitivity="PSY")


def test_an_exception_lies_within_the_period_of_what_it_excepts_from() -> None:
    inner = rule(categories=(), start=None)
    row = provision(end=NOW, decision=Decision.DENY, provisions=(inner,))
    assert not allowed(row)


def test_a_permit_fits_by_every_label_and_a_denial_by_any() -> None:
    labels = {Label.RESTRICTED, Label.PSYCHIATRY}
    permit = provision(labels=labels)
    assert allowed(permit, confidentiality="R", sensitivity="PSY")
    assert not allowed(permit, confidentiality="V", sensitivity="PSY")
    assert not allowed(permit, confidentiality="R", sensitivity="ETH")
    deny = provision(decision=Decision.DENY, labels={Label.VERY_RESTRICTED, Label.SUBSTANCE_USE})
    assert allowed(provision(), deny, confidentiality="R", sensitivity="PSY")
    assert not allowed(provision(), deny, confidentiality="V", sensitivity="PSY")
    assert not allowed(provision(), deny, confidentiality="R", sensitivity="ETH")


def test_what_waits_to_be_confirmed_denies_and_does_not_permit() -> None:
    deny = rule(decision=Decision.DENY, labels={Label.VERY_RESTRICTED}, categories=(), start=None)
    waiting = provision(waits=True, provisions=(deny,))
    assert not allowed(waiting)
    assert allowed(waiting, provision(), confidentiality="R")
    assert not allowed(waiting, provision(), confidentiality="V")


def test_what_a_replaced_version_permitted_counts_as_withdrawn() -> None:
    payment = rule(purposes={Purpose.PAYMENT})
    row = Declared(provision=payment, retracted={"scores": Purpose.TREATMENT.bit})
    assert not allowed(row, policy=TREATMENT)
    assert allowed(row, provision(), policy=TREATMENT)
