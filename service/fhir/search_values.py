"""The values of search parameters: escapes, prefixes, dates and tokens, as SQL conditions.

https://hl7.org/fhir/R4/search.html#ptypes
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from service.clock import microseconds
from service.errors import InvalidError
from service.fhir.index_values import folded, moment

MOST_VALUES = 100
PREFIXES = frozenset({"eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"})
_MICROSECOND = timedelta(microseconds=1)
NEARLY = 10  # `ap` reaches a tenth of the distance between the value and now
DATE = re.compile(r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?)?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Condition:
    """SQL text with `?` for each of its arguments."""

    sql: str
    args: tuple[object, ...] = ()


NOTHING = Condition("1 = 0")


def any_of(conditions: Iterable[Condition]) -> Condition:
    """Return the conditions joined by OR."""
    found = list(conditions)
    if len(found) == 1:
        return found[0]
    sql = " OR ".join(one.sql for one in found)
    return Condition(f"({sql})", tuple(arg for one in found for arg in one.args))


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
    if "\x00" in text:
        raise InvalidError("the value holds a NUL character", element=name)
    return found


def token(name: str, text: str) -> Condition:
    """Return what a `document_tokens t` must fulfil for `code`, `s|code`, `|code` or `s|`."""
    system, bar, code = (unescaped(part) for part in _at_bar(name, text))
    if not bar:
        return Condition("t.code = ?", (system,))
    if not code:
        if not system:
            raise InvalidError("`|` alone says neither system nor code", element=name)
        return Condition("t.system = ?", (system,))
    return Condition("(t.system = ? AND t.code = ?)", (system, code))


def _at_bar(name: str, text: str) -> tuple[str, str, str]:
    parts = split(text, "|")
    if len(parts) == 1:
        return parts[0], "", ""
    if len(parts) > 2:  # noqa: PLR2004 - a system and a code
        raise InvalidError("must be code, system|code, |code or system|", element=name)
    return parts[0], "|", parts[1]


def starts_with(name: str, text: str, *, anywhere: bool = False) -> Condition:
    """Return what a `document_strings s` must fulfil for a string."""
    plain = folded(unescaped(text))
    if not plain:
        raise InvalidError("the parameter has no value", element=name)
    pattern = re.sub(r"([\\%_])", r"\\\1", plain) + "%"
    return Condition("s.value LIKE ? ESCAPE '\\'", ("%" + pattern if anywhere else pattern,))


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
