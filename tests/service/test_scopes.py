"""Scopes by themselves: grammar, canonical form and arithmetic.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.errors import ValueSetError
from service.scopes import CRUDS, Scope, read_scope, shared, united, within

LABORATORY = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
OF_US_CORE = [
    "Condition.rs?category=http://terminology.hl7.org/CodeSystem/condition-category|encounter-diagnosis",
    "Condition.rs?category=http://hl7.org/fhir/us/core/CodeSystem/condition-category|health-concern",
    f"Observation.rs?category={LABORATORY}",
    "Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|social-history",
    "Condition.rs?category=http://terminology.hl7.org/CodeSystem/condition-category|problem-list-item",
    "Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs",
    "Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|survey",
    "Observation.rs?category=http://hl7.org/fhir/us/core/CodeSystem/us-core-category|sdoh",
]


@pytest.mark.parametrize("context", ["patient", "user", "system"])
@pytest.mark.parametrize("text", OF_US_CORE)
def test_72_the_scopes_of_us_core_are_their_own_canonical_form(context, text):
    scope = read_scope(f"{context}/{text}")
    ((name, value),) = scope.query
    assert (scope.context, scope.letters) == (context, {"r", "s"})
    assert (name, value) == ("category", text.partition("=")[2])
    assert str(scope) == f"{context}/{text}"


@pytest.mark.parametrize("letters", [c for n in range(1, 6) for c in combinations(CRUDS, n)])
def test_72_letters_stand_in_their_order_and_no_other(letters):
    text = "".join(letters)
    assert read_scope(f"system/*.{text}").letters == set(text)
    if len(text) > 1:
        with pytest.raises(ValueSetError):
            read_scope(f"system/*.{text[::-1]}")


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("system/Patient.read", "system/Patient.rs"),
        ("user/*.write", "user/*.cud"),
        ("patient/Task.*", "patient/Task.cruds"),
        ("system/Task.read?status=ready", "system/Task.rs?status=ready"),
        ("system/Task.r?status=b&code=a", "system/Task.r?code=a&status=b"),
        ("system/Task.r?status=b&status=b", "system/Task.r?status=b"),
        ("system/Task.r?status=b&status=a", "system/Task.r?status=a&status=b"),
        ("system/Task.r?%63ode=a%7cb", "system/Task.r?code=a|b"),
        ("system/Patient.r?name=Ann%20Lee", "system/Patient.r?name=Ann%20Lee"),
        ("system/Patient.r?name=%C3%84nne", "system/Patient.r?name=%C3%84nne"),
        ("system/Patient.r?name=a%5C,b", "system/Patient.r?name=a%5C,b"),
        ("system/Patient.r?name=a%26b%3Dc%2Bd", "system/Patient.r?name=a%26b%3Dc%2Bd"),
        ("system/Observation.r?date=ge2026-01-01", "system/Observation.r?date=ge2026-01-01"),
    ],
)
def test_every_spelling_has_one_canonical_form(text, canonical):
    scope = read_scope(text)
    assert str(scope) == canonical
    assert read_scope(canonical) == scope


@pytest.mark.parametrize(
    "text",
    ["", "system", "system/Patient", "system/Patient.", "system/Patient.rx", "system/Patient.rr",
     "Patient.rs", "launch/patient", "openid", "SYSTEM/*.rs", "system/patient.rs", "system/**.rs",
     "system/Pätient.rs", "system/Patient.rs ", "system/Patient.readwrite"],
)  # fmt: skip
def test_72_anything_else_is_no_scope(text):
    with pytest.raises(ValueSetError, match="not a scope"):
        read_scope(text)


@pytest.mark.parametrize(
    ("query", "rule"),
    [
        ("", "parameter=value"),
        ("code", "parameter=value"),
        ("code=", "parameter=value"),
        ("=x", "parameter=value"),
        ("code=x&", "parameter=value"),
        ("&code=x", "parameter=value"),
        ("name=a+b", "%2B"),
        ("name=%zz", "UTF-8"),
        ("name=%", "UTF-8"),
        ("name=%ff", "UTF-8"),
        ("name=%00", "UTF-8"),
        ("name=a%0Ab", "UTF-8"),
        ('name="a"', "not a scope"),
        ("name=a\\,b", "not a scope"),
        ("name=Ä", "not a scope"),
        ("name=a b", "not a scope"),
    ],
)
def test_a_query_that_is_not_well_formed_is_refused_with_the_rule(query, rule):
    with pytest.raises(ValueSetError, match=rule):
        read_scope(f"system/Patient.rs?{query}")


def scope(text: str) -> Scope:
    return read_scope(f"system/{text}")


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        ("A.r?x=1", "A.rs"),
        ("A.r?x=1", "A.r?x=1"),
        ("A.r?x=1&y=2", "A.r?x=1"),
        ("A.r?x=1", "*.read"),
        ("A.r?x=1", "*.r?x=1"),
        ("*.r?x=1", "*.r"),
    ],
)
def test_more_parameters_give_less(narrow, wide):
    narrow, wide = narrow.replace("A.", "Task."), wide.replace("A.", "Task.")
    assert scope(narrow).within(scope(wide))
    assert within([scope(narrow)], [scope(wide)])
    if narrow != wide:
        assert not scope(wide).within(scope(narrow))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Task.r?code=a", "Task.r?code=b"),
        ("Task.r?code=a", "Task.r?code=a,b"),  # it does lie within; who can tell of every modifier
        ("Task.r", "Task.r?code=a"),
        ("Task.rs?code=a", "Task.r?code=a"),
        ("*.r", "Task.r"),
    ],
)
def test_what_cannot_be_told_from_the_text_is_not_within(one, other):
    assert not scope(one).within(scope(other))


def test_contexts_are_not_within_each_other():
    assert not read_scope("patient/Task.r").within(read_scope("system/Task.r"))
    assert read_scope("patient/Task.r").meet(read_scope("system/Task.r")) is None


def test_letters_may_come_from_several_scopes_and_types_from_a_wildcard():
    assert within([scope("Task.rs")], [scope("Task.r"), scope("*.s")])
    assert not within([scope("*.rs")], [scope("Task.r"), scope("*.s")])


def test_the_union_leaves_out_what_another_scope_gives():
    given = [scope(text) for text in ("Task.r", "Task.s", "*.r", "Task.r?code=a", "Task.u?code=a")]
    assert [str(one) for one in united(given)] == [
        "system/*.r", "system/Task.s", "system/Task.u?code=a",
    ]  # fmt: skip


def test_of_what_is_asked_the_part_is_given_that_is_allowed():
    allowed = [scope("Observation.rs?category=lab"), scope("Patient.cruds")]
    found = shared([scope("*.read"), scope("Condition.rs")], allowed)
    assert [str(one) for one in found] == [
        "system/Observation.rs?category=lab",
        "system/Patient.rs",
    ]
    assert shared([scope("Condition.rs")], allowed) == ()


TYPES, NAMES, VALUES = ("Task", "Patient"), ("code", "name"), ("a", "b|c", "ü &=+%", "a,b")
queries = st.frozensets(st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)), max_size=2)
scopes = st.builds(
    Scope,
    st.sampled_from(["system", "user"]),
    st.sampled_from([*TYPES, "*"]),
    st.frozensets(st.sampled_from("rus"), min_size=1),
    queries,
)
grants = st.lists(scopes, max_size=3)
# A toy resource has parameters with one value each; a query asks that it has these pairs.
resources = st.tuples(st.sampled_from(TYPES), queries)
examples = settings(max_examples=150, deadline=None, derandomize=True, database=None)


def gives(grant: list[Scope], context: str, letter: str, resource: tuple) -> bool:
    kind, pairs = resource
    return any(
        one.context == context
        and one.concerns(kind)
        and letter in one.letters
        and one.query <= pairs
        for one in grant
    )


@examples
@given(scopes)
def test_the_canonical_form_is_read_back(one):
    assert read_scope(str(one)) == one


@examples
@given(scopes, scopes, scopes)
def test_within_is_an_order(one, other, third):
    assert one.within(one)
    assert not (one.within(other) and other.within(one)) or one == other
    assert not (one.within(other) and other.within(third)) or one.within(third)


@examples
@given(scopes, scopes, scopes)
def test_the_meeting_is_the_most_that_lies_within_both(one, other, third):
    met = one.meet(other)
    assert met == other.meet(one)
    if met is not None:
        assert met.within(one)
        assert met.within(other)
    if third.within(one) and third.within(other):
        assert met is not None
        assert third.within(met)


@examples
@given(grants, grants, grants)
def test_within_is_an_order_of_grants(some, others, third):
    assert within(some, some)
    assert not (within(some, others) and within(others, third)) or within(some, third)
    assert within([], some)


@examples
@given(grants, grants)
def test_the_union_and_what_is_shared_keep_what_they_say(some, others):
    assert within(some, united(some))
    assert within(united(some), some)
    assert united(united(some)) == united(some)
    both = shared(some, others)
    assert within(both, some)
    assert within(both, others)
    assert both == shared(others, some)
    assert united(some) == shared(some, some)


@examples
@given(grants, grants, resources, st.sampled_from("rus"), st.sampled_from(["system", "user"]))
def test_the_arithmetic_is_that_of_what_is_given(some, others, resource, letter, context):
    first, second = (gives(each, context, letter, resource) for each in (some, others))
    assert gives(list(united(some)), context, letter, resource) == first
    assert gives(list(shared(some, others)), context, letter, resource) == (first and second)
    if within(some, others) and first:
        assert second
