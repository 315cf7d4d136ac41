"""What a document can be found by: the rows that its type's parameters make of its elements.

https://hl7.org/fhir/R4/search.html
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from service.fhir.expressions import Walk, walks
from service.fhir.index_values import (
    LONGEST,
    START_OF_TIME,
    bounded,
    date_range,
    folded,
    identifiers,
    number_ranges,
    texts,
    tokens,
    words,
)
from service.fhir.mapping import ResourceType

# Raised when the same resource would be indexed otherwise: documents are then indexed anew.
REVISION = 2
SUBJECT = frozenset({"patient", "subject"})
VALUES = 500  # of one member that are remembered
SHORT = 400  # bytes of JSON
MEMBERS = 500  # more than any type has; a bound all the same
ABSENT = (("", ""),)

Locate = Callable[[str], tuple[str, str] | None]


@dataclass
class IndexRows:
    """The index of one document, ready for the columns of its tables.

    `low` and `high` bound the type's own date, in microseconds. Rows are (param, ...): tokens
    system and code; strings folded and as is; dates low and high; numbers low, high, system, code
    and unit; references target and its type. An element that is present and has nothing to be
    indexed leaves a token without system and code, for `:missing`.
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

    def add(self, more: "IndexRows") -> None:
        """Add the rows of a part."""
        for ours, theirs in zip(self.tables, more.tables, strict=True):
            if theirs:
                ours.update(theirs)


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
    leads there needs no row (`has_subject`). `locate` tells which document here, as (type, id), a
    reference leads to.
    """
    made = _Made(IndexRows(), subject if has_subject(kind) else None, locate)
    extractors = _extractors(kind)
    for walk, add, names in extractors.of("").extractors:
        for found in walk.values(resource):
            add(made, names, found)
    for member, value in resource.items():
        _member(made, extractors.of(member), member, value)
    rows = made.rows
    if kind.date is not None and rows.low is None:
        rows.low = START_OF_TIME  # without a date it has a place in the order all the same
    _meta(made, meta)
    return rows


def has_subject(kind: ResourceType) -> bool:
    """Tell whether `documents.subject` is what the type's `patient` or `subject` refers to.

    What a Provenance is about is the patient of its target; a target that is a Patient has a row.
    """
    return kind.patient_path not in {None, "target"}


class _Made(NamedTuple):
    rows: IndexRows
    subject: str | None
    locate: Locate


_Names = tuple[str, ...]
_Add = Callable[[_Made, _Names, Any], None]
_Extractor = tuple[Walk, _Add, _Names]  # the parameters that this walk leads to


class _OfMember(NamedTuple):
    """How one member is indexed; `known` has the rows of values met before, by their JSON.

    It is None where the rows depend on more than the value. Codes and statuses come again and
    again, and to look them up costs a tenth of making their rows.
    """

    extractors: tuple[_Extractor, ...]
    known: dict[bytes, IndexRows] | None


def _member(made: _Made, how: _OfMember, member: str, value: Any) -> None:  # noqa: ANN401 - JSON
    if not how.extractors:
        return
    key = None if how.known is None else _key(value)
    if how.known is None or key is None:
        _extract(made, how, member, value)
        return
    rows = how.known.get(key)
    if rows is None:
        rows = IndexRows()
        _extract(made._replace(rows=rows), how, member, value)
        if len(how.known) >= VALUES:
            how.known.clear()
        how.known[key] = rows
    made.rows.add(rows)


def _extract(made: _Made, how: _OfMember, member: str, value: Any) -> None:  # noqa: ANN401 - JSON
    for walk, add, names in how.extractors:
        for found in walk.values_of(member, value):
            add(made, names, found)


def _key(value: Any) -> bytes | None:  # noqa: ANN401 - JSON
    """Return the JSON of a short value; what has decimals as they were written has none."""
    try:
        packed = orjson.dumps(value)
    except TypeError:
        return None
    return packed if len(packed) <= SHORT else None


@dataclass
class _Extractors:
    """How the members of one type's resources are indexed, worked out as each is first met."""

    all: tuple[_Extractor, ...]
    by_member: dict[str, _OfMember] = field(default_factory=dict)

    def of(self, member: str) -> _OfMember:
        found = self.by_member.get(member)
        if found is None:
            own = tuple(each for each in self.all if each[0].may_start_at(member))
            alone = not any(each[1] in {_reference, _own_date} for each in own)
            found = _OfMember(own, {} if alone else None)
            if len(self.by_member) < MEMBERS:
                self.by_member[member] = found
        return found


_KINDS: dict[int, tuple[ResourceType, _Extractors]] = {}  # a hash of a type takes too long


def _extractors(kind: ResourceType) -> _Extractors:
    known = _KINDS.get(id(kind))
    if known is not None and known[0] is kind:
        return known[1]
    by_walk: dict[tuple[Walk, _Add], _Names] = {}
    for name, parameter in kind.by_name.items():
        if parameter.type == "composite":
            continue
        add = _own_date if name == kind.date else _ADD[parameter.type]
        for walk in walks(parameter.expression):
            by_walk[walk, add] = (*by_walk.get((walk, add), ()), name)
    made = _Extractors(tuple((*key, names) for key, names in by_walk.items()))
    _KINDS[id(kind)] = (kind, made)
    return made


def _meta(made: _Made, meta: Mapping[str, Any]) -> None:
    for profile in meta.get("profile", ()):
        _uri(made, ("_profile",), profile)
    for name in ("security", "tag"):
        for coding in meta.get(name, ()):
            _token(made, (f"_{name}",), coding)
    if "source" in meta:
        _uri(made, ("_source",), meta["source"])


def _own_date(made: _Made, names: _Names, value: Any) -> None:  # noqa: ANN401 - JSON
    rows, found = made.rows, date_range(value)
    if found is None:
        _present(made, names)
        return
    rows.low = found[0] if rows.low is None else min(rows.low, found[0])
    rows.high = found[1] if rows.high is None else max(rows.high, found[1])


def _present(made: _Made, names: _Names) -> None:
    made.rows.tokens.update((name, "", "") for name in names)


def _token(made: _Made, names: _Names, value: Any) -> None:  # noqa: ANN401 - JSON
    rows = made.rows
    found, typed = tuple(tokens(value)), tuple(identifiers(value))
    said = tuple((folded(text)[:LONGEST], bounded(text)) for text in words(value))
    for name in names:
        rows.tokens.update((name, *pair) for pair in found or ABSENT)
        if typed:
            rows.tokens.update((f"{name}:of-type", *pair) for pair in typed)
        if said:
            rows.strings.update((f"{name}:text", *pair) for pair in said)


def _string(made: _Made, names: _Names, value: Any) -> None:  # noqa: ANN401 - JSON
    found = {(folded(text)[:LONGEST], bounded(text)) for text in texts(value)}
    for name in names:
        made.rows.strings.update((name, *pair) for pair in found)
    if not found:
        _present(made, names)


def _date(made: _Made, names: _Names, value: Any) -> None:  # noqa: ANN401 - JSON
    found = date_range(value)
    if found is None:
        _present(made, names)
    else:
        made.rows.dates.update((name, *found) for name in names)


def _number(made: _Made, names: _Names, value: Any) -> None:  # noqa: ANN401 - JSON
    found = tuple(number_ranges(value))
    made.rows.numbers.update((name, *row) for name in names for row in found)
    if not found:
        _present(made, names)


def _uri(made: _Made, names: _Names, value: Any) -> None:  # noqa: ANN401 - JSON
    text = bounded(value) if isinstance(value, str) else ""
    made.rows.tokens.update((name, "", text) for name in names)


def _reference(made: _Made, names: _Names, value: Any) -> None:  # noqa: ANN401 - JSON
    """Add where a Reference leads, by its address, or a canonical address with and without version.

    A reference by identifier has a token; where that leads here, its writer put an address too.
    """
    rows = made.rows
    if isinstance(value, str):
        targets = bounded(value), bounded(value.partition("|")[0])
        rows.references.update((name, target, "") for name in names for target in targets)
        return
    text = value.get("reference") if isinstance(value, dict) else None
    if isinstance(text, str) and not text.startswith("#"):
        _target(made, names, text)
    else:
        _present(made, names)
    if isinstance(value, dict) and "identifier" in value:
        pairs = tuple(tokens(value["identifier"]))
        rows.tokens.update((f"{name}:identifier", *pair) for name in names for pair in pairs)


def _target(made: _Made, names: _Names, text: str) -> None:
    kind, target = made.locate(text.partition("/_history/")[0]) or ("", bounded(text))
    is_subject = kind == "Patient" and target == made.subject
    for name in names:
        if not (is_subject and name in SUBJECT):
            made.rows.references.add((name, target, kind))


_ADD: dict[str, _Add] = {
    "token": _token,
    "string": _string,
    "date": _date,
    "number": _number,
    "quantity": _number,
    "uri": _uri,
    "reference": _reference,
}
