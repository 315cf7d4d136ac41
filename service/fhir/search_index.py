"""What a document can be found by: tokens, strings, dates, taken from its elements.

https://hl7.org/fhir/R4/search.html
"""

import unicodedata
from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from service.clock import microseconds
from service.fhir.mapping import ResourceType, SearchParameter

END_OF_TIME = 2**62
START_OF_TIME = -(2**62)
SECOND_PRECISION = 19


@dataclass
class IndexRows:
    """The index of one document; `low` and `high` bound its date, in microseconds."""

    tokens: set[tuple[str, str, str]] = field(default_factory=set)
    strings: set[tuple[str, str]] = field(default_factory=set)
    low: int | None = None
    high: int | None = None


def index(resource: dict[str, Any], kind: ResourceType) -> IndexRows:
    """Return the index rows that this type's parameters make of the resource."""
    rows = IndexRows()
    for parameter in kind.parameters:
        for value in elements(resource, parameter.steps):
            _add(rows, parameter, value)
        if parameter.type == "date" and rows.low is None:
            rows.low = START_OF_TIME  # without a date it has a place in the order all the same
    return rows


def elements(node: Any, path: Sequence[str]) -> Iterator[Any]:  # noqa: ANN401 - JSON
    """Yield every value that the path leads to, through arrays."""
    if isinstance(node, list):
        for item in node:
            yield from elements(item, path)
    elif not path:
        yield node
    elif isinstance(node, dict) and path[0] in node:
        yield from elements(node[path[0]], path[1:])


def _add(rows: IndexRows, parameter: SearchParameter, value: Any) -> None:  # noqa: ANN401 - JSON
    if parameter.type == "token":
        rows.tokens.update((parameter.name, s, c) for s, c in tokens(value))
    elif parameter.type == "string":
        rows.strings.update((parameter.name, folded(text)) for text in texts(value))
    elif parameter.type == "date":
        rows.low, rows.high = date_range(value)


def tokens(value: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - JSON
    """Yield (system, code) of a code, boolean, Coding, CodeableConcept or Identifier."""
    if isinstance(value, bool):
        yield "", "true" if value else "false"
    elif isinstance(value, str):
        yield "", value
    elif isinstance(value, dict) and "coding" in value:
        for coding in value["coding"]:
            yield from tokens(coding)
    elif isinstance(value, dict):
        code = value.get("code", value.get("value"))
        if code is not None:
            yield value.get("system", ""), str(code)


def texts(value: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    """Yield the strings of a string or HumanName."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in ("family", "given", "text", "prefix", "suffix"):
            yield from elements(value, [part])


def folded(text: str) -> str:
    """Return `text` as string search compares it: no case, no accents, single spaces."""
    plain = unicodedata.normalize("NFKD", text)
    kept = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(kept.casefold().split())


def date_range(value: Any) -> tuple[int, int]:  # noqa: ANN401 - JSON
    """Return the first and last microsecond of a date, dateTime, instant or Period."""
    if isinstance(value, dict):
        low = date_range(value["start"])[0] if value.get("start") else START_OF_TIME
        high = date_range(value["end"])[1] if value.get("end") else END_OF_TIME
        return low, high
    start, width = moment(value)
    return microseconds(start), microseconds(start + width) - 1


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
