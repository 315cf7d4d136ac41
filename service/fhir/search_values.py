"""The values of search parameters: escapes, prefixes, strings and dates, as SQL conditions.

https://hl7.org/fhir/R4/search.html#ptypes
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from service.clock import microseconds
from service.errors import InvalidError
from service.fhir.index_values import LONGEST, bounded, folded, moment

MOST_VALUES = 500
WIDEST = 50  # terms of one OR: SQLite bounds how deep an expression may be
PREFIXES = frozenset({"eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"})
_MICROSECOND = timedelta(microseconds=1)
LAST = "\U0010ffff"  # sorts after every character
NEARLY = 10  # `ap` reaches a tenth of the distance between the value and now
DATE = re.compile(r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?)?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Condition:
    """SQL text with `?` for each of its arguments."""

    sql: str
    args: tuple[object, ...] = ()


NOTHING = Condition("1 = 0")
EVERYTHING = Condition("1 = 1")


def any_of(conditions: Iterable[Condition]) -> Condition:
    """Return the conditions joined by OR."""
    return _joined(list(conditions), " OR ", NOTHING)


def all_of(conditions: Iterable[Condition]) -> Condition:
    """Return the conditions joined by AND."""
    return _joined(list(conditions), " AND ", EVERYTHING)


def _joined(found: list[Condition], word: str, nothing: Condition) -> Condition:
    if not found:
        return nothing
    if len(found) == 1:
        return found[0]
    if len(found) > WIDEST:
        parts = [found[at : at + WIDEST] for at in range(0, len(found), WIDEST)]
        return _joined([_joined(part, word, nothing) for part in parts], word, nothing)
    sql = word.join(one.sql for one in found)
    return Condition(f"({sql})", tuple(arg for one in found for arg in one.args))


def also(first: Condition, *others: Condition | None) -> Condition:
    """Return the condition with those joined by AND that there are, without parentheses."""
    each = [first, *(one for one in others if one is not None)]
    return Condition(" AND ".join(one.sql for one in each), tuple(a for e in each for a in e.args))


def negated(condition: Condition) -> Condition:
    return Condition(f"NOT {condition.sql}", condition.args)


def one_of(column: str, values: Sequence[object]) -> Condition:
    """Return that the column has one of the values."""
    if not values:
        return NOTHING
    if len(values) == 1:
        return Condition(f"{column} = ?", tuple(values))
    return Condition(f"{column} IN ({', '.join('?' * len(values))})", tuple(values))


def split(text: str, separator: str) -> list[str]:
    """Split at a separator that no backslash escapes; the escapes stay."""
    if "\\" not in text:
        return text.split(separator)
    parts, escaped = [""], False
    for char in text:
        if char == separator and not escaped:
            parts.append("")
        else:
            parts[-1] += char
        escaped = char == "\\" and not escaped
    return parts


def unescaped(text: str) -> str:
    """Return the text without the backslashes that escape `,`, `|`, `$` and themselves."""
    return re.sub(r"\\([,|$\\])", r"\1", text) if "\\" in text else text


def alternatives(name: str, text: str) -> list[str]:
    """Return the values between commas.

    Raises:
        InvalidError: there is none, too many, or a character that no text holds.
    """
    found = [part for part in split(text, ",") if part]
    if not found:
        raise InvalidError("the parameter has no value", element=name)
    if len(found) > MOST_VALUES:
        raise InvalidError(f"the parameter has more than {MOST_VALUES} values", element=name)
    require_text(name, text)
    return found


def require_text(name: str, text: str) -> None:
    """Raise InvalidError where PostgreSQL could not take it for a text."""
    if "\x00" in text:
        raise InvalidError("the value holds a NUL character", element=name)


def starts_with(name: str, text: str) -> Condition:
    """Return what a row `i` of strings must fulfil; a range, which an index can be walked for."""
    plain = _plain(name, text)
    return Condition("(i.value >= ? AND i.value < ?)", (plain, plain + LAST))


def contains(name: str, text: str) -> Condition:
    pattern = re.sub(r"([\\%_])", r"\\\1", _plain(name, text))
    return Condition("i.value LIKE ? ESCAPE '\\'", (f"%{pattern}%",))


def exactly(_name: str, text: str) -> Condition:
    return Condition("i.original = ?", (bounded(unescaped(text)),))


def _plain(name: str, text: str) -> str:
    plain = folded(unescaped(text))
    if not plain:
        raise InvalidError("the value is blank", element=name)
    return plain[:LONGEST]


@dataclass(frozen=True, slots=True)
class Moment:
    """A date as searched for: its prefix, first and last microsecond."""

    prefix: str
    low: int
    high: int


def searched_moment(name: str, text: str) -> Moment:
    """Read a date with its prefix.

    Raises:
        InvalidError: it is not one.
    """
    prefix, value = (text[:2], text[2:]) if text[:2] in PREFIXES else ("eq", text)
    value = value.replace(" ", "+")  # a plus sign that nobody encoded
    if not DATE.fullmatch(value):
        raise InvalidError("must be a date such as 2026-03-01 or ge2026-03-01", element=name)
    try:
        start, width = moment(value)
        low = microseconds(start)
    except (ValueError, OverflowError):
        raise InvalidError("there is no such date", element=name) from None
    return Moment(prefix, low, low + width // _MICROSECOND - 1)


_Compare = Callable[[Moment, str, str], Condition]


def _eq(m: Moment, low: str, high: str) -> Condition:
    return Condition(f"({low} >= ? AND {high} <= ?)", (m.low, m.high))


def _ne(m: Moment, low: str, high: str) -> Condition:
    return Condition(f"({low} < ? OR {high} > ?)", (m.low, m.high))


def _gt(m: Moment, _low: str, high: str) -> Condition:
    return Condition(f"{high} > ?", (m.high,))


def _lt(m: Moment, low: str, _high: str) -> Condition:
    return Condition(f"{low} < ?", (m.low,))


def _ge(m: Moment, low: str, high: str) -> Condition:
    if low == high:
        return Condition(f"{low} >= ?", (m.low,))
    return Condition(f"({high} > ? OR {low} >= ?)", (m.high, m.low))


def _le(m: Moment, low: str, high: str) -> Condition:
    if low == high:
        return Condition(f"{high} <= ?", (m.high,))
    return Condition(f"({low} < ? OR {high} <= ?)", (m.low, m.high))


def _sa(m: Moment, low: str, _high: str) -> Condition:
    return Condition(f"{low} > ?", (m.high,))


def _eb(m: Moment, _low: str, high: str) -> Condition:
    return Condition(f"{high} < ?", (m.low,))


def _ap(m: Moment, low: str, high: str) -> Condition:
    return Condition(f"({low} <= ? AND {high} >= ?)", (m.high, m.low))


COMPARE: dict[str, _Compare] = {
    "eq": _eq, "ne": _ne, "gt": _gt, "lt": _lt, "ge": _ge, "le": _le, "sa": _sa, "eb": _eb,
    "ap": _ap,
}  # fmt: skip


def compared(searched: Moment, low: str, high: str, *, now: int) -> Condition:
    """Return the condition on the columns that hold a document's first and last microsecond."""
    if searched.prefix == "ap":
        reach = abs(now - searched.low) // NEARLY
        searched = Moment("ap", searched.low - reach, searched.high + reach)
    return COMPARE[searched.prefix](searched, low, high)
