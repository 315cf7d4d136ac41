"""How each data type is indexed: as tokens, strings, dates, numbers.

https://hl7.org/fhir/R4/search.html#table
"""

import unicodedata
from calendar import monthrange
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from service.clock import microseconds

END_OF_TIME = 2**62
START_OF_TIME = -(2**62)
SECOND_PRECISION = 19
MOST = 1e308
NAME_PARTS = ("family", "given", "text", "prefix", "suffix")
ADDRESS_PARTS = ("line", "city", "district", "state", "postalCode", "country", "text")

Json = Any


def items(node: Json, name: str) -> Iterator[Json]:
    """Yield the values of one member of an object, one by one where it is an array."""
    if isinstance(node, dict) and name in node:
        found = node[name]
        yield from found if isinstance(found, list) else [found]


def tokens(value: Json) -> Iterator[tuple[str, str]]:
    """Yield (system, code) of a code, boolean, coded value, Identifier or ContactPoint."""
    if isinstance(value, bool):
        yield "", "true" if value else "false"
    elif isinstance(value, str | int):
        yield "", str(value)
    elif isinstance(value, dict) and "coding" in value:
        for coding in items(value, "coding"):
            yield from tokens(coding)
    elif isinstance(value, dict):
        code = value.get("code", value.get("value"))
        if isinstance(code, str):
            yield str(value.get("system", "")), code


def identifiers(value: Json) -> Iterator[tuple[str, str]]:
    """Yield (type's system, `type's code|value`) of an Identifier, as `:of-type` asks for it."""
    if isinstance(value, dict) and isinstance(value.get("value"), str) and "type" in value:
        for system, code in tokens(value["type"]):
            yield system, f"{code}|{value['value']}"


def words(value: Json) -> Iterator[str]:
    """Yield what `:text` searches: the texts and displays of a coded value or identifier."""
    if not isinstance(value, dict):
        return
    kind = value.get("type")
    for node, name in ((value, "text"), (value, "display"), (kind, "text")):
        yield from (text for text in items(node, name) if isinstance(text, str))
    for coding in items(value, "coding"):
        yield from (text for text in items(coding, "display") if isinstance(text, str))


def texts(value: Json) -> Iterator[str]:
    """Yield the strings of a string or HumanName."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict) and not _is_address(value):
        for part in NAME_PARTS:
            yield from (text for text in items(value, part) if isinstance(text, str))


def addresses(value: Json) -> Iterator[str]:
    """Yield the strings of an Address."""
    if isinstance(value, dict) and _is_address(value):
        for part in ADDRESS_PARTS:
            yield from (text for text in items(value, part) if isinstance(text, str))


def _is_address(value: dict[str, Json]) -> bool:
    return any(part in value for part in ADDRESS_PARTS if part != "text")


def folded(text: str) -> str:
    """Return `text` as string search compares it: no case, no accents, single spaces."""
    plain = unicodedata.normalize("NFKD", text)
    kept = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(kept.casefold().split())


def number_ranges(value: Json) -> Iterator[tuple[float, float, str, str, str]]:
    """Yield (low, high, system, code, unit) of a number, Quantity or Range."""
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        yield float(value), float(value), "", "", ""
    elif isinstance(value, dict) and ("low" in value or "high" in value):
        low, high = value.get("low") or {}, value.get("high") or {}
        bounds = float(low.get("value", -MOST)), float(high.get("value", MOST))
        yield *bounds, *_unit(low or high)
    elif isinstance(value, dict) and "value" in value:
        number, comparator = float(value["value"]), value.get("comparator", "")
        low_, high_ = (
            (-MOST if "<" in comparator else number),
            (MOST if ">" in comparator else number),
        )
        yield low_, high_, *_unit(value)


def _unit(quantity: dict[str, Json]) -> tuple[str, str, str]:
    system, code, unit = (str(quantity.get(name, "")) for name in ("system", "code", "unit"))
    return system, code, unit


def date_range(value: Json) -> Iterator[tuple[int, int]]:
    """Yield the first and last microsecond of a date, dateTime, instant, Period or Timing."""
    if isinstance(value, str):
        start, width = moment(value)
        yield microseconds(start), microseconds(start + width) - 1
    elif isinstance(value, dict) and ("event" in value or "repeat" in value):
        for event in items(value, "event"):
            yield from date_range(event)
        repeat = value.get("repeat")
        if isinstance(repeat, dict) and "boundsPeriod" in repeat:
            yield from date_range(repeat["boundsPeriod"])
    elif isinstance(value, dict) and ("start" in value or "end" in value):
        low = next(date_range(value["start"]))[0] if value.get("start") else START_OF_TIME
        high = next(date_range(value["end"]))[1] if value.get("end") else END_OF_TIME
        yield low, high


def moment(text: str) -> tuple[datetime, timedelta]:
    """Return the start of a FHIR dateTime and how long its precision makes it.

    Raises:
        ValueError: it is not a dateTime.
    """
    if len(text) <= len("2026-01-01"):
        return _whole_days(text)
    start = datetime.fromisoformat(text)
    if start.tzinfo is None:
        start = datetime.fromisoformat(text + "+00:00")
    if len(text) < SECOND_PRECISION or text[16:17] != ":":
        return start, timedelta(minutes=1)
    if text[19:20] == ".":
        digits = len(text[20:]) - len(text[20:].lstrip("0123456789"))
        return start, timedelta(microseconds=max(10 ** (6 - min(digits, 6)), 1))
    return start, timedelta(seconds=1)


def _whole_days(text: str) -> tuple[datetime, timedelta]:
    parts = text.split("-")
    numbers = [int(part) for part in parts] + [1, 1]
    year, month, day = numbers[0], numbers[1], numbers[2]
    start = datetime.fromisoformat(f"{year:04d}-{month:02d}-{day:02d}T00:00:00+00:00")
    if len(parts) == 1:
        return start, timedelta(days=366 if monthrange(year, 2)[1] == 29 else 365)  # noqa: PLR2004
    return start, timedelta(days=monthrange(year, month)[1] if len(parts) == 2 else 1)  # noqa: PLR2004
