"""Whatever is sent is answered with issues, soon, and without quoting it."""

import copy
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_mappings import resources
from fhir_mappings.definitions.profiles import known_profiles
from fhir_mappings.definitions.walk import MOST_ISSUES
from fhir_mappings.structure import validate, validate_profile
from service.fhir.lexical import LexicalError, parse
from tests.fhir_mappings.mutations import garbled, mutated, samples, written
from tests.fhir_mappings.responses import SECRET, found, response, sample

# With 32 types, 10,240 resources.
MUTATIONS_OF_A_TYPE = 320
GARBLED_OF_A_TYPE = 60
SAMPLES = samples()

KEYS = (
    "resourceType id meta item answer valueCoding valueString _valueString system code reference"
    " extension url contained text div subject authored linkId coding"
)
json_values = st.recursive(
    st.sampled_from([None, True, 0, -1, Decimal("1.5"), "", " ", SECRET, "#x", "Patient/1"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(KEYS.split()),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


def places(node, path=()):
    yield path
    children = node.items() if isinstance(node, dict) else enumerate(node)
    for key, child in children:
        if isinstance(child, dict | list):
            yield from places(child, (*path, key))
        else:
            yield (*path, key)


def put(document, path, value):
    changed = copy.deepcopy(document)
    node = changed
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return changed


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_any_change_of_a_sample_is_answered_with_issues_only(data):
    document = sample()
    path = data.draw(st.sampled_from([place for place in places(document) if place]))
    changed = put(document, path, data.draw(json_values))
    before = copy.deepcopy(changed)
    found(changed)
    assert changed == before


@given(st.sampled_from(sorted(resources.TYPES)), st.dictionaries(st.text(max_size=8), json_values))
@settings(max_examples=100, deadline=None)
def test_any_members_are_answered_with_issues_only(name, members):
    found({**members, "resourceType": name})


def test_endless_nesting_is_an_issue():
    document = response()
    for _ in range(5000):
        document = {"resourceType": "QuestionnaireResponse", "item": [document]}
    assert {code for _, code in found(document)} <= {"structure", "required"}


def test_the_number_of_issues_is_limited():
    assert len(validate(response(item=[{"linkId": ""}] * 10_000))) == MOST_ISSUES


def read(body):
    """Answer as the service does: what is no JSON, then what is no FHIR."""
    try:
        value = parse(body).value
    except LexicalError as error:
        return {("quoted" if SECRET in error.message else error.expression, "lexical")}
    return found(value) if isinstance(value.get("resourceType"), str) else set()


@pytest.mark.parametrize("kind", sorted(resources.TYPES))
def test_a_mutated_resource_is_answered_with_issues_only(kind):
    some = SAMPLES[kind]
    profiles = [url for url in known_profiles() if "|" not in url]
    for seed in range(MUTATIONS_OF_A_TYPE):
        changed = mutated(some[seed % len(some)], f"{kind} {seed}")
        assert SECRET not in repr(read(written(changed)))
        claimed = some[seed % len(some)].get("meta", {}).get("profile", [])
        for url in (*claimed[:1], profiles[seed % len(profiles)]):
            assert SECRET not in repr(validate_profile(changed, url))


@pytest.mark.parametrize("kind", sorted(resources.TYPES))
def test_garbled_bytes_are_answered_with_issues_only(kind):
    some = SAMPLES[kind]
    for seed in range(GARBLED_OF_A_TYPE):
        assert ("quoted", "lexical") not in read(
            garbled(written(some[seed % len(some)]), f"{kind} {seed}")
        )


def nested(levels):
    """A response whose JSON is as many levels deep."""
    item = {"linkId": "x"}
    for _ in range(levels // 2 - 1):
        item = {"linkId": "x", "item": [item]}
    return response(item=[item])


def test_more_levels_than_allowed_are_refused():
    assert read(written(nested(70))) == {("QuestionnaireResponse", "lexical")}
    assert read(b"[" * 100_000) == {("Resource", "lexical")}


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        (rb'"valueString":"\ud800"', ("Resource", "lexical")),
        (rb'"\udc00":"a"', ("Resource", "lexical")),
        (b'"valueInteger":1e400', ("Resource", "lexical")),
        (b'"valueInteger":-1e400', ("Resource", "lexical")),
        (b'"valueInteger":NaN', ("Resource", "lexical")),
        (b'"valueInteger":Infinity', ("Resource", "lexical")),
        (b'"valueQuantity":{"value":1e-400}', ("Observation.valueQuantity", "lexical")),
        (
            b'"valueQuantity":{"value":1.' + b"9" * 10_000 + b"}",
            ("Observation.valueQuantity", "lexical"),
        ),
        (
            b'"valueQuantity":{"value":' + b"9" * 300 + b"}",
            ("Observation.valueQuantity", "lexical"),
        ),
        (b'"valueInteger":' + b"9" * 10_000, ("Resource", "lexical")),
        (rb'"valueString":"a\u0000b"', ("Observation.valueString", "lexical")),
        (rb'"meta":{"source":"a\u0000b"}', ("Observation.meta", "lexical")),
        (rb'"meta":{"a\u0000b":"x"}', ("Observation.meta", "lexical")),
        (
            rb'"contained":[{"resourceType":"Medication","status":"\u0000"}]',
            ("Observation.contained", "lexical"),
        ),
        (rb'"a\u0000b":1', ("Observation", "lexical")),
        (b'"valueString":"a","valueString":"b"', ("Observation.valueString", "lexical")),
        (b'"note":[{"text":"a","text":"b"}]', ("Observation.note", "lexical")),
        (b'"valueString":" \\n "', ("value", "value")),
        (rb'"valueString":"\u00a0\u2003"', ("value", "value")),
        (b'"id":"../../Patient/1"', ("id", "value")),
        (
            b'"subject":{"reference":"Patient/1","reference":"#"}',
            ("Observation.subject", "lexical"),
        ),
        (b'"' + b"x" * 100_000 + b'":1', ("", "structure")),
        (b'"__proto__":{"a":1}', ("__proto__", "structure")),
    ],
    ids=lambda value: value[:30] if isinstance(value, bytes) else None,
)
def test_a_trick_of_json_is_refused_where_it_is(member, expected):
    body = b'{"resourceType":"Observation","status":"final","code":{"text":"x"},' + member + b"}"
    assert expected in read(body)


def test_a_backslash_before_u0000_is_only_text():
    body = rb'{"resourceType":"Patient","language":"a\\\\u0000"}'
    assert read(body) == set()
