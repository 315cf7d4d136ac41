"""What is explained is what is disclosed, whatever was said: drawn consents, every question."""

import os
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from hypothesis import given, settings
from hypothesis import strategies as st

from service.disclosures import Declared, Disclosure, decide
from service.explanations import Question, explained
from service.models.connections import ConsentPolicy
from service.models.provisions import (
    CONFIDENTIALITY,
    Category,
    Decision,
    Label,
    Provision,
    as_columns,
    provision_of,
)
from service.models.purposes import Purpose
from service.weighing import Content

NOW = datetime(2026, 1, 15, tzinfo=UTC)
KINDS = [one for one in Label if one not in CONFIDENTIALITY and one is not Label.PART_2]
EXAMPLES = 3000 if os.environ.get("ALONGSIDE_NIGHTLY") else 150

days = st.none() | st.integers(-2, 2).map(lambda n: NOW + timedelta(days=n))
said = {
    "decision": st.sampled_from(Decision),
    "start": days,
    "end": days,
    "categories": st.frozensets(st.sampled_from(Category), max_size=2),
    "purposes": st.frozensets(st.sampled_from(Purpose), max_size=3),
    "labels": st.frozensets(st.sampled_from(Label), max_size=2),
    "covers_part2": st.none() | st.booleans(),
    "shows_group_name": st.none() | st.booleans(),
}
rules = st.recursive(
    st.builds(Provision, **said),
    lambda inner: st.builds(Provision, **said, provisions=st.lists(inner, max_size=2).map(tuple)),
    max_leaves=4,
)
consents = st.builds(
    Declared,
    id=st.builds(uuid4),
    provision=rules.map(Provision.within),
    withdrawn=st.booleans(),
    waits=st.booleans(),
    retracted=st.dictionaries(st.sampled_from([c.value for c in Category]), st.integers(0, 127)),
)
contents = st.builds(
    Content,
    st.sampled_from(Category),
    st.booleans(),
    st.sampled_from([one.value for one in CONFIDENTIALITY]),
    st.sampled_from([one.value for one in KINDS]),
    st.booleans(),
)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.sampled_from(ConsentPolicy), st.lists(consents, max_size=3), contents)
def test_what_is_explained_is_what_is_disclosed(policy, told, content):
    mask = Disclosure(policy=policy, consents=tuple(told), now=NOW).purposes(content)
    for purpose in Purpose:
        question = Question(
            patient_id=UUID(int=0),
            connection_id=UUID(int=0),
            content=content,
            purpose=purpose,
            at=NOW,
        )
        found = explained("H", policy, told, question)
        assert found.given is bool(mask & purpose.bit)
        if found.rule.value in {"denied", "permitted", "withdrawn"}:
            assert found.decided_by


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.sampled_from(ConsentPolicy), st.lists(consents, max_size=3), consents, contents)
def test_a_denial_more_never_gives_and_a_permit_that_waits_never_does(policy, told, more, content):
    before = decide(policy, told, content, NOW)
    denial = Declared(provision=Provision(decision=Decision.DENY).within())
    assert decide(policy, [*told, denial], content, NOW).given == 0
    waiting = Declared(provision=more.provision, waits=True)
    after = decide(policy, [*told, waiting], content, NOW)
    assert after.given & ~before.given == 0


@settings(max_examples=EXAMPLES, deadline=None)
@given(rules)
def test_a_provision_is_kept_as_it_was_said(rule):
    kept = provision_of(as_columns(rule))
    plain = {
        "covers_part2": bool(rule.covers_part2),
        "shows_group_name": bool(rule.shows_group_name),
    }
    assert kept == Provision(**{**vars(rule), **plain})
