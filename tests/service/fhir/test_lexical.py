"""Lexical JSON: what is refused, and that what is kept is kept as written."""

import json
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.fhir.lexical import DEEPEST, LexicalError, compose, overlay, parse

SAMPLES = sorted((Path(__file__).parents[2] / "data").glob("*.json"))

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_is_read_like_any_json(path):
    body = path.read_bytes()
    lexical = parse(body)
    assert lexical.value == json.loads(body, parse_float=Decimal)
    assert list(lexical.members) == list(lexical.value)


@given(st.dictionaries(texts, values, max_size=6), st.sampled_from([None, 1, "\t"]))
def test_every_member_keeps_its_text(document, indent):
    lexical = parse(json.dumps(document, indent=indent).encode())
    assert list(lexical.members) == list(document)
    assert {k: json.loads(text) for k, text in lexical.members.items()} == document


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body):
    with suppress(LexicalError):
        parse(body)


@given(st.text(alphabet='{}[]",:\\ue-+.0123456789 truefalsn\n', max_size=60))
def test_anything_like_json_is_read_or_refused(text):
    body = b'{"a":' + text.encode() + b"}"
    with suppress(LexicalError):
        parse(body)


def test_decimals_keep_their_digits():
    lexical = parse(b'{"value": 72.50, "list": [ 1.0 ]}')
    assert str(lexical.value["value"]) == "72.50"
    assert lexical.members == {"value": "72.50", "list": "[ 1.0 ]"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'"text"',
        b"null",
        b'\xef\xbb\xbf{"a":1}',
        '{"a":1}'.encode("utf-16"),
        b'{"a":"\xff"}',
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":"\\ud800"}',
        b'{"\\udc00":1}',
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"a":1} x',
        b'{"a":1}{}',
        b'{"a":1,}',
        b'{"a":01}',
        b'{"a":"\x01"}',
        b"{'a':1}",
        b'{"a":1 /* no */}',
    ],
)
def test_what_is_not_a_json_object_is_refused(body):
    with pytest.raises(LexicalError) as caught:
        parse(body)
    assert caught.value.expression == "Resource"


@pytest.mark.parametrize("number", ["1e400", "-1e400", "9" * 400, "1" * 5000, "1e999999999999"])
def test_a_number_too_big_for_a_double_is_refused(number):
    with pytest.raises(LexicalError):
        parse(f'{{"a":{number}}}'.encode())


@pytest.mark.parametrize("number", ["9" * 65, "-" + "9" * 64, "1." + "9" * 10_000])
def test_a_number_of_too_many_digits_is_refused(number):
    with pytest.raises(LexicalError, match="more than 64 digits"):
        parse(f'{{"a":[{number}]}}'.encode())


@pytest.mark.parametrize(
    "member", ['"a":"\\u0000"', '"a":[{"b\\u0000":1}]', '"a\\u0000":1', '"a":[["x\\u0000"]]']
)
def test_the_character_that_no_database_keeps_is_refused(member):
    with pytest.raises(LexicalError, match=r"U\+0000"):
        parse(f"{{{member}}}".encode())


def test_a_backslash_before_u0000_is_only_text():
    assert parse(rb'{"a":"\\u0000"}').value == {"a": "\\u0000"}


@pytest.mark.parametrize("number", ["1e-400", "1e-99999999999999999999", "0." + "0" * 400 + "1"])
def test_a_number_too_small_for_a_double_is_refused(number):
    with pytest.raises(LexicalError) as caught:
        parse(f'{{"resourceType":"Observation","a":{number}}}'.encode())
    assert caught.value.expression == "Observation.a"


@pytest.mark.parametrize(
    ("body", "expression"),
    [
        (b'{"a":1,"a":2}', "Resource.a"),
        (b'{"a":1,"\\u0061":2}', "Resource.a"),
        (b'{"resourceType":"Patient","name":[{"given":1,"given":2}]}', "Patient.name"),
        (b'{"resourceType":"Patient","resourceType":"Group"}', "Group.resourceType"),
        (b'{"Ann Example":1,"Ann Example":2}', "Resource"),
    ],
)
def test_a_key_given_twice_is_refused(body, expression):
    with pytest.raises(LexicalError) as caught:
        parse(body)
    assert caught.value.expression == expression
    assert "Ann" not in caught.value.message


def test_nesting_is_limited():
    parse(nested(DEEPEST))
    for depth in (DEEPEST + 1, 900, 5000, 200_000):
        with pytest.raises(LexicalError):
            parse(nested(depth))


def test_compose_puts_our_members_first_and_keeps_the_rest():
    lexical = parse(b'{"id":"theirs","v": 72.50 ,"meta":{"source":"#x"},"resourceType":"X"}')
    body = compose(lexical.members, resource_type="Observation", id="ours", meta={"versionId": "1"})
    assert body == (
        b'{"resourceType":"Observation","id":"ours","meta":{"versionId":"1"},"v":72.50}'
    )


def test_overlay_replaces_whole_members_only():
    lexical = parse(b'{"status":"x","value": {"n": 1.50},"gone":1}')
    new = overlay(lexical, {"status": "final", "gone": None, "score": {"value": Decimal("7.0")}})
    assert new.members == {
        "status": '"final"',
        "value": '{"n": 1.50}',
        "score": '{"value":7.0}',
    }
    assert new.value == {
        "status": "final",
        "value": {"n": Decimal("1.50")},
        "score": {"value": Decimal("7.0")},
    }
    assert lexical.members["status"] == '"x"'


@given(st.dictionaries(texts.filter(bool), values, max_size=6))
def test_what_is_composed_can_be_parsed(document):
    members = parse(json.dumps(document).encode()).members
    body = compose(members, resource_type="Flag", id="1", meta={})
    assert parse(body).value["resourceType"] == "Flag"


def test_a_value_without_a_json_form_is_refused():
    with pytest.raises(TypeError):
        overlay(parse(b"{}"), {"a": Decimal("NaN")})
