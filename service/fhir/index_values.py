"""How each data type is indexed: as tokens, strings, dates, numbers.

What a resource holds was validated, but nothing here may fail on what was not: a value that cannot
be indexed is left out. https://hl7.org/fhir/R4/search.html#table
"""

import hashlib
import math
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
LONGEST = 250  # characters of an indexed text: PostgreSQL bounds the entries of an index
NAME_PARTS = ("family", "given", "text", "prefix", "suffix")
ADDRESS_PARTS = ("line", "city", "district", "state", "postalCode", "country", "text")
_MICROSECOND = timedelta(microseconds=1)
# Letters that Unicode does not take apart, though people look for them without their stroke.
_PLAIN = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "æ": "ae", "œ": "oe", "þ": "th"}
)

Json = Any


def items(node: Json, name: str) -> Iterator[Json]:
    """Yield the values of one member of an object, one by one where it is an array."""
    if isinstance(node, dict) and name in node:
        found = node[name]
        yield from found if isinstance(found, list) else [found]


def bounded(text: str) -> str:
    """Return a text as it is indexed and compared exactly: a long one by its hash."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    if len(text) <= LONGEST:
        return text
    return text[:LONGEST] + "#" + hashlib.sha256(text.encode(errors="replace")).hexdigest()


def tokens(value: Json) -> Iterator[tuple[str, str]]:
    """Yield (system, code) of a code, boolean, coded value, Identifier or ContactPoint."""
    if isinstance(value, bool):
        yield "", "true" if value else "false"
    elif isinstance(value, str | int):
        yield "", bounded(str(value))
    elif isinstance(value, dict) and "coding" in value:
        for coding in items(value, "coding"):
            yield from tokens(coding)
    elif isinstance(value, dict):
        code, system = value.get("code", value.get("value")), value.get("system", "")
        found = code if isinstance(code, str) else ""
        if isinstance(system, str) and (found or system):
            yield bounded(system), bounded(found)


def identifiers(value: Json) -> Iterator[tuple[str, str]]:
    """Yield (type's system, `type's code|value`) of an Identifier, as `:of-type` asks for it."""
    if isinstance(value, dict) and isinstance(value.get("value"), str) and "type" in value:
        for coding in items(value["type"], "coding"):
            if isinstance(coding, dict) and isinstance(coding.get("code"), str):
                code = bounded(f"{coding['code']}|{value['value']}")
                yield bounded(str(coding.get("system", ""))), code


def words(value: Json) -> Iterator[str]:
    """Yield what `:text` searches: the texts and displays of a coded value or identifier."""
    if not isinstance(value, dict):
        return
    nodes = [value, *items(value, "coding")] if "coding" in value else [value]
    for node in nodes:
        if isinstance(node, dict):
            yield from (
                found
                for name in ("text", "display")
                if name in node and isinstance(found := node[name], str)
            )
    if "type" in value:
        yield from (text for text in items(value["type"], "text") if isinstance(text, str))


def texts(value: Json) -> Iterator[str]:
    """Yield the strings of a string, HumanName or Address."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in ADDRESS_PARTS if _is_address(value) else NAME_PARTS:
            yield from (text for text in items(value, part) if isinstance(text, str))


def _is_address(value: dict[str, Json]) -> bool:
    return any(part in value for part in ADDRESS_PARTS if part != "text")


def folded(text: str) -> str:
    """Return `text` as string search compares it: no case, no accents, single spaces."""
    if text.isascii():
        return " ".join(text.replace("\x00", "").lower().split())
    plain = unicodedata.normalize("NFKD", text.replace("\x00", ""))
    kept = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(kept.casefold().translate(_PLAIN).split())


def double(value: Json) -> float:
    """Return the nearest number that the index can hold, whatever its size; 0 for no number."""
    try:
        found = float(value)
    except OverflowError:
        return MOST if value > 0 else -MOST
    except (TypeError, ValueError):
        return 0.0
    return 0.0 if math.isnan(found) else max(-MOST, min(MOST, found))


def number_ranges(value: Json) -> Iterator[tuple[float, float, str, str, str]]:
    """Yield (low, high, system, code, unit) of a number, Quantity or Range."""
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        yield double(value), double(value), "", "", ""
    elif isinstance(value, dict) and ("low" in value or "high" in value):
        low, high = _object(value, "low"), _object(value, "high")
        bounds = double(low.get("value", -MOST)), double(high.get("value", MOST))
        yield *bounds, *_unit(low or high)
    elif isinstance(value, dict) and "value" in value:
        number, comparator = double(value["value"]), str(value.get("comparator", ""))
        bounds = (-MOST if "<" in comparator else number, MOST if ">" in comparator else number)
        yield *bounds, *_unit(value)


def _object(value: dict[str, Json], name: str) -> dict[str, Json]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _unit(quantity: dict[str, Json]) -> tuple[str, str, str]:
    system, code, unit = (
        bounded(str(quantity.get(name, ""))) for name in ("system", "code", "unit")
    )
    return system, code, unit


def date_range(value: Json) -> tuple[int, int] | None:
    """Return the first and last microsecond of a date, dateTime, instant, Period or Timing.

    Of a Timing it is the outer limits, as R4 has it.
    """
    if isinstance(value, str):
        return _range(value)
    if not isinstance(value, dict):
        return None
    if "event" in value or "repeat" in value:
        parts = [*items(value, "event"), _object(_object(value, "repeat"), "boundsPeriod")]
        found = [pair for part in parts if (pair := date_range(part))]
        return (min(low for low, _ in found), max(high for _, high in found)) if found else None
    start, end = (_range(value.get(name)) for name in ("start", "end"))
    if start is None and end is None:
        return None
    return start[0] if start else START_OF_TIME, end[1] if end else END_OF_TIME


def _range(text: Json) -> tuple[int, int] | None:
    if not isinstance(text, str):
        return None
    try:
        start, width = moment(text)
        low = microseconds(start)
    except (ValueError, OverflowError):
        return None
    return low, low + width // _MICROSECOND - 1


def moment(text: str) -> tuple[datetime, timedelta]:
    """Return the start of a FHIR dateTime and how long its precision makes it.

    A leap second is taken for the second before it. What has no zone is taken for UTC.

    Raises:
        ValueError: it is not a dateTime.
    """
    if len(text) <= len("2026-01-01"):
        return _whole_days(text)
    if text[17:19] == "60":
        text = f"{text[:17]}59{text[19:]}"
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
