"""Values of search parameters: escapes, prefixes, dates, numbers, tokens, references.

https://hl7.org/fhir/R4/search.html#ptypes
"""

import sqlite3

import pytest

from service.errors import InvalidError
from service.fhir.index_values import MOST, date_range, double, folded, number_ranges
from service.fhir.search_numbers import numbers, quantities
from service.fhir.search_tokens import members, of_type, tokens
from service.fhir.search_values import (
    COMPARE,
    MOST_VALUES,
    Condition,
    Moment,
    alternatives,
    any_of,
    compared,
    searched_moment,
    split,
    unescaped,
)


def test_escapes_keep_separators_in_values():
    assert split(r"a\,b,c", ",") == [r"a\,b", "c"]
    assert split(r"a\\,b", ",") == [r"a\\", "b"]
    assert unescaped(r"a\,b\|c\\d\$") == r"a,b|c\d$"


@pytest.mark.parametrize(
    ("prefix", "found"),
    [
        ("eq", {"inside"}),
        ("ne", {"before", "across low", "across high", "around", "after"}),
        ("gt", {"across high", "around", "after"}),
        ("lt", {"before", "across low", "around"}),
        ("ge", {"inside", "across high", "around", "after"}),
        ("le", {"inside", "across low", "around", "before"}),
        ("sa", {"after"}),
        ("eb", {"before"}),
        ("ap", {"inside", "across low", "across high", "around"}),
    ],
)
def test_prefixes_compare_ranges(prefix: str, found: set[str]):
    ranges = {
        "before": (0, 9), "across low": (5, 15), "inside": (11, 19), "around": (5, 25),
        "across high": (15, 25), "after": (21, 30),
    }  # fmt: skip
    condition = compared(Moment(prefix, 10, 20), "low", "high", now=10)
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE d (name, low, high)")
    database.executemany("INSERT INTO d VALUES (?, ?, ?)", [(k, *v) for k, v in ranges.items()])
    rows = database.execute(f"SELECT name FROM d WHERE {condition.sql}", condition.args)
    assert {name for (name,) in rows} == found
    database.close()
    assert set(COMPARE) >= {prefix}


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("2026", 365 * 86_400_000_000),
        ("2024", 366 * 86_400_000_000),
        ("2026-02", 28 * 86_400_000_000),
        ("2026-02-03", 86_400_000_000),
        ("2026-02-03T04:05", 60_000_000),
        ("2026-02-03T04:05:06Z", 1_000_000),
        ("2026-02-03T04:05:06.1+01:00", 100_000),
        ("2026-02-03T04:05:06.123456-05:00", 1),
        ("9999-12-31", 86_400_000_000),
    ],
)
def test_a_date_is_as_wide_as_its_precision(text: str, width: int):
    moment = searched_moment("date", f"ge{text}")
    assert moment.prefix == "ge"
    assert moment.high - moment.low + 1 == width


@pytest.mark.parametrize(
    "text", ["", "2026-1", "x", "ge", "2026-02-30", "20260101", "0000", "ge ge"]
)
def test_what_is_not_a_date_is_refused(text: str):
    with pytest.raises(InvalidError):
        searched_moment("date", text)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("5.4", 5.35, 5.45),
        ("5.40", 5.395, 5.405),
        ("100", 99.5, 100.5),
        ("1e2", 50, 150),
        ("-3", -3.5, -2.5),
        ("0", -0.5, 0.5),
        ("1e999", MOST, MOST),
    ],
)
def test_a_number_stands_for_what_is_rounded_to_it(text: str, low: float, high: float):
    assert numbers("n", [text]) == Condition("(i.low >= ? AND i.high < ?)", (low, high))


@pytest.mark.parametrize("text", ["", "x", "5.", "gt", "5,4", "1e9999", "0x5", "5.4|mg", "NaN"])
def test_what_is_not_a_number_is_refused(text: str):
    with pytest.raises(InvalidError):
        quantities("value-quantity", [text])


@pytest.mark.parametrize("text", ["|", "a|b|c"])
def test_a_token_has_a_system_and_a_code(text: str):
    with pytest.raises(InvalidError):
        tokens("code", [text])


def test_tokens_are_asked_for_by_system():
    found = tokens("code", ["a", "b", "s|c", "s|d", "t|", "|e"])
    assert set(found.args) == {"a", "b", "c", "d", "e", "s", "t", ""}
    assert found.sql.count("i.system = ?") == 3


@pytest.mark.parametrize("text", ["s|c", "s|c|", "|c|v", "c"])
def test_of_type_takes_system_code_and_value(text: str):
    with pytest.raises(InvalidError):
        of_type("identifier", [text])


def test_a_value_set_that_is_not_known_is_named():
    with pytest.raises(InvalidError, match="http://none"):
        members("code", ["http://none"], {})


def test_as_many_values_as_are_allowed_are_one_shallow_condition():
    values = alternatives("date", ",".join(["2026"] * MOST_VALUES))
    wanted = any_of(compared(searched_moment("date", v), "1", "2", now=0) for v in values)
    database = sqlite3.connect(":memory:")
    assert database.execute(f"SELECT {wanted.sql}", wanted.args).fetchone() == (0,)
    database.close()
    with pytest.raises(InvalidError):
        alternatives("date", ",".join(["2026"] * (MOST_VALUES + 1)))


@pytest.mark.parametrize(
    "value",
    [
        "0001-01-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:60Z", "2016-12-31T23:59:60Z",
        "9999", "2026-02-29", "24:00", "2026-01-01T24:00:00Z", "", "x", "0000", None, 5, [], {},
        {"start": None}, {"start": "x", "end": "2026"}, {"event": [None]}, {"repeat": "x"},
    ],
)  # fmt: skip
def test_no_date_that_is_indexed_is_an_error(value):
    found = date_range(value)
    assert found is None or found[0] <= found[1]


def test_a_leap_second_is_a_second():
    low, high = date_range("2016-12-31T23:59:60Z")
    assert (low, high) == date_range("2016-12-31T23:59:59Z")


@pytest.mark.parametrize(
    "value",
    [
        10**400, -(10**400), float("nan"), "x", None, {"value": None}, {"value": "x"},
        {"low": None}, {"low": {"value": 10**400}}, {"comparator": "<"}, True, [],
    ],
)  # fmt: skip
def test_no_number_that_is_indexed_is_an_error(value):
    assert all(-MOST <= low <= high <= MOST for low, high, *_ in number_ranges(value))
    assert -MOST <= double(value) <= MOST


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("  Änne  MARIE ", "anne marie"),
        ("Straße", "strasse"),
        ("Łódź", "lodz"),
        ("Sørensen Þór Æon Đorđe", "sorensen thor aeon dorde"),
        ("\u1e9b\u0323", "s"),
        ("a\x00b", "ab"),
        ("\ufb01", "fi"),
    ],
)
def test_strings_are_compared_without_case_accents_and_double_spaces(text: str, plain: str):
    assert folded(text) == plain
    assert folded(plain) == plain
