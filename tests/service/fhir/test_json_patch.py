"""JSON Patch as the specification's own examples have it, on text that keeps its form.

https://www.rfc-editor.org/rfc/rfc6902#appendix-A
"""

import json
from typing import Any

import pytest

from service.errors import BusinessRuleError, InvalidError
from service.fhir.json_patch import MOST_COPIED, MOST_OPERATIONS, edit_of
from service.fhir.lexical import parse


def patched(text: str, *operations: dict[str, Any]) -> str:
    edit = edit_of("Basic", json.dumps(operations).encode())
    return edit(parse(text.encode())).text().decode()


@pytest.mark.parametrize(
    ("text", "operation", "after"),
    [
        (
            '{"foo":"bar"}',
            {"op": "add", "path": "/baz", "value": "qux"},
            '{"foo":"bar","baz":"qux"}',
        ),
        (
            '{"foo":["bar","baz"]}',
            {"op": "add", "path": "/foo/1", "value": "qux"},
            '{"foo":["bar","qux","baz"]}',
        ),
        ('{"baz":"qux","foo":"bar"}', {"op": "remove", "path": "/baz"}, '{"foo":"bar"}'),
        (
            '{"foo":["bar","qux","baz"]}',
            {"op": "remove", "path": "/foo/1"},
            '{"foo":["bar","baz"]}',
        ),
        (
            '{"baz":"qux","foo":"bar"}',
            {"op": "replace", "path": "/baz", "value": "boo"},
            '{"baz":"boo","foo":"bar"}',
        ),
        (
            '{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}',
            {"op": "move", "from": "/foo/waldo", "path": "/qux/thud"},
            '{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}',
        ),
        (
            '{"foo":["all","grass","cows","eat"]}',
            {"op": "move", "from": "/foo/1", "path": "/foo/3"},
            '{"foo":["all","cows","eat","grass"]}',
        ),
        (
            '{"foo":["bar"]}',
            {"op": "add", "path": "/foo/-", "value": ["a"]},
            '{"foo":["bar",["a"]]}',
        ),
        ('{"a/b":1,"m~n":2}', {"op": "test", "path": "/a~1b", "value": 1}, '{"a/b":1,"m~n":2}'),
        ('{"a/b":1,"m~n":2}', {"op": "replace", "path": "/m~0n", "value": 3}, '{"a/b":1,"m~n":3}'),
        (
            '{"foo":"bar"}',
            {"op": "add", "path": "/baz", "value": "qux", "xyz": 123},
            '{"foo":"bar","baz":"qux"}',
        ),
    ],
)
def test_the_examples_of_the_specification(text: str, operation: dict[str, Any], after: str):
    assert patched(text, operation) == after


@pytest.mark.parametrize("number", ["72.50", "1E5", "0.10", "-0.0", "12345678901234567890123"])
def test_members_that_are_not_named_keep_their_text(number: str):
    text = f'{{"value": {number} , "status":"final"}}'
    change = {"op": "replace", "path": "/status", "value": "amended"}
    assert patched(text, change) == f'{{"value":{number},"status":"amended"}}'


@pytest.mark.parametrize("number", ["72.50", "0.10", "12345678901234567890123", "-1.250"])
def test_numbers_beside_what_changes_keep_their_text(number: str):
    add = {"op": "add", "path": "/quantity/unit", "value": "mg"}
    after = patched(f'{{"quantity":{{"value":{number}}}}}', add)
    assert after == f'{{"quantity":{{"value":{number},"unit":"mg"}}}}'


@pytest.mark.parametrize(
    ("before", "value", "after"),
    [("true", 1, "1"), ("1", True, "true"), ("1.0", 1, "1"), ("[0]", [False], "[false]")],
)
def test_values_that_python_takes_for_equal_are_told_apart(before: str, value: Any, after: str):
    text = f'{{"a":{before}}}'
    assert patched(text, {"op": "replace", "path": "/a", "value": value}) == f'{{"a":{after}}}'


def test_a_patch_does_all_or_nothing():
    current = parse(b'{"a":[1]}')
    body = b'[{"op":"add","path":"/a/-","value":2},{"op":"test","path":"/a/0","value":2}]'
    with pytest.raises(BusinessRuleError):
        edit_of("Basic", body)(current)
    assert current.text() == b'{"a":[1]}'


def test_a_patch_may_be_applied_again():
    edit = edit_of("Basic", b'[{"op":"add","path":"/a/-","value":{"b":1}}]')
    current = parse(b'{"a":[]}')
    assert edit(current).text() == edit(current).text() == b'{"a":[{"b":1}]}'


def test_the_number_of_operations_is_bounded():
    one = {"op": "test", "path": "/a", "value": 1}
    assert patched('{"a":1}', *[one] * MOST_OPERATIONS) == '{"a":1}'
    with pytest.raises(InvalidError):
        patched('{"a":1}', *[one] * (MOST_OPERATIONS + 1))


def test_what_is_copied_is_bounded():
    text = json.dumps({"a": [0] * (MOST_COPIED // 2)})
    copies = [{"op": "copy", "from": "/a", "path": f"/{name}"} for name in "bc"]
    assert '"b":[0' in patched(text, copies[0])
    with pytest.raises(BusinessRuleError):
        patched(text, *copies)
