"""What a document can be found by: the rows that its type's parameters make of its elements.

https://hl7.org/fhir/R4/search.html
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from service.fhir.expressions import compiled
from service.fhir.index_values import (
    addresses,
    date_range,
    folded,
    identifiers,
    number_ranges,
    texts,
    tokens,
    words,
)
from service.fhir.mapping import ResourceType, SearchParameter

# Raised when the same resource would be indexed otherwise: documents are then indexed anew.
REVISION = 1
START_OF_TIME = -(2**62)

Locate = Callable[[str], tuple[str, str] | None]


@dataclass
class IndexRows:
    """The index of one document, ready for the columns of its tables.

    `low` and `high` bound the type's own date, in microseconds. Rows are (param, ...): tokens
    system and code; strings folded and as is; dates low and high; numbers low, high, system, code
    and unit; references target and its type.
    """

    low: int | None = None
    high: int | None = None
    tokens: set[tuple[str, str, str]] = field(default_factory=set)
    strings: set[tuple[str, str, str]] = field(default_factory=set)
    dates: set[tuple[str, int, int]] = field(default_factory=set)
    numbers: set[tuple[str, float, float, str, str, str]] = field(default_factory=set)
    references: set[tuple[str, str, str]] = field(default_factory=set)

    @property
    def tables(self) -> tuple[set[Any], ...]:
        """The rows of each index table, in the order of `index_tables.INSERTS`."""
        return self.tokens, self.strings, self.dates, self.numbers, self.references


def relative(reference: str) -> tuple[str, str] | None:
    """Return what a reference of our own documents leads to: they are all relative."""
    parts = reference.split("/")
    return (parts[0], parts[1]) if len(parts) == 2 else None  # noqa: PLR2004 - type and id


def index(
    resource: dict[str, Any],
    kind: ResourceType,
    *,
    meta: Mapping[str, Any],
    subject: str | None,
    locate: Locate = relative,
) -> IndexRows:
    """Return the index rows that this type's parameters make of the resource.

    `meta` is the document's, `subject` its column of that name: a `patient` or `subject` that
    leads there needs no row. `locate` tells which document here, as (type, id), a reference
    leads to.
    """
    rows = IndexRows()
    for parameter in kind.parameters:
        if parameter.type == "composite":
            continue
        for value in compiled(parameter.expression)(resource):
            if parameter.type == "date" and parameter.name == kind.date:
                _own_date(rows, value)
            elif parameter.type == "reference":
                _reference(rows, parameter, value, subject, locate)
            else:
                _ADD[parameter.type](rows, parameter.name, value)
    if kind.date is not None and rows.low is None:
        rows.low = START_OF_TIME  # without a date it has a place in the order all the same
    _meta(rows, meta)
    return rows


def _meta(rows: IndexRows, meta: Mapping[str, Any]) -> None:
    rows.tokens.update(("_profile", "", profile) for profile in meta.get("profile", ()))
    for name in ("security", "tag"):
        for coding in meta.get(name, ()):
            rows.tokens.update((f"_{name}", *pair) for pair in tokens(coding))
    if "source" in meta:
        rows.tokens.add(("_source", "", meta["source"]))


def _own_date(rows: IndexRows, value: Any) -> None:  # noqa: ANN401 - JSON
    for low, high in date_range(value):
        rows.low = low if rows.low is None else min(rows.low, low)
        rows.high = high if rows.high is None else max(rows.high, high)


def _token(rows: IndexRows, name: str, value: Any) -> None:  # noqa: ANN401 - JSON
    rows.tokens.update((name, *pair) for pair in tokens(value))
    rows.tokens.update((f"{name}:of-type", *pair) for pair in identifiers(value))
    rows.strings.update((f"{name}:text", folded(text), text) for text in words(value))


def _string(rows: IndexRows, name: str, value: Any) -> None:  # noqa: ANN401 - JSON
    found = (*texts(value), *addresses(value))
    rows.strings.update((name, folded(text), text) for text in found)


def _date(rows: IndexRows, name: str, value: Any) -> None:  # noqa: ANN401 - JSON
    rows.dates.update((name, *pair) for pair in date_range(value))


def _number(rows: IndexRows, name: str, value: Any) -> None:  # noqa: ANN401 - JSON
    rows.numbers.update((name, *row) for row in number_ranges(value))


def _uri(rows: IndexRows, name: str, value: Any) -> None:  # noqa: ANN401 - JSON
    if isinstance(value, str):
        rows.tokens.add((name, "", value))


_ADD: dict[str, Callable[[IndexRows, str, Any], None]] = {
    "token": _token,
    "string": _string,
    "date": _date,
    "number": _number,
    "quantity": _number,
    "uri": _uri,
}
SUBJECT = frozenset({"patient", "subject"})


def _reference(
    rows: IndexRows,
    parameter: SearchParameter,
    value: Any,  # noqa: ANN401 - JSON
    subject: str | None,
    locate: Locate,
) -> None:
    """Add where a Reference leads, by its address, or a canonical address with and without version.

    A reference by identifier has a token; where that leads here, its writer put an address too.
    """
    name = parameter.name
    if isinstance(value, str):
        rows.references.update((name, text, "") for text in (value, value.partition("|")[0]))
        return
    if not isinstance(value, dict):
        return
    rows.tokens.update((f"{name}:identifier", *pair) for pair in tokens(value.get("identifier")))
    text = value.get("reference")
    if isinstance(text, str) and not text.startswith("#"):
        kind, target = locate(text.partition("/_history/")[0]) or ("", text)
        if not (name in SUBJECT and kind == "Patient" and target == subject):
            rows.references.add((name, target, kind))
