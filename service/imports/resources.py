"""Patients in a file: a resource on each line, or one Bundle.

https://github.com/ndjson/ndjson-spec
https://hl7.org/fhir/R4/bundle.html
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from service.errors import AlongsideError, InvalidError
from service.fhir.lexical import Lexical, LexicalError, parse, parse_bundle
from service.imports.rows import Done, Record, Rejection, Work
from service.imports.tables import opened

LONGEST_LINE = 1_000_000
LONGEST_BUNDLE = 20_000_000
BOM = b"\xef\xbb\xbf"
PATIENT = "Patient"
BUNDLES = ("collection", "searchset", "batch", "transaction")
TEMPLATE = (
    '{"resourceType":"Patient","id":"ehr-1","identifier":[{"system":"https://harbor.example/mrn",'
    '"value":"MRN-0001"}],"name":[{"family":"Example","given":["Alex"]}],"gender":"unknown",'
    '"birthDate":"1980-01-31"}'
)
ELEMENTS = {
    "family": "Patient.name.family",
    "given": "Patient.name.given",
    "birth_date": "Patient.birthDate",
    "mrn": "Patient.identifier",
    "ehr_patient_id": "Patient.id",
}

Check = Callable[[Lexical], Any]


@dataclass(frozen=True)
class Resources:
    """A file of Patients; `check` raises what a Patient breaks, `take` takes one in."""

    path: Path
    check: Check
    take: Callable[[Work, dict[str, Any]], Done]

    def records(self) -> Iterator[Record]:
        """Yield every line, or every entry of the Bundle."""
        with opened(self.path) as file:
            if _is_lines(file.readline(LONGEST_LINE)):
                file.seek(0)
                yield from self._lines(file)
            else:
                file.seek(0)
                yield from self._entries(file)

    def _lines(self, file: BinaryIO) -> Iterator[Record]:
        row = 0
        while line := file.readline(LONGEST_LINE + 1):
            row += 1
            if len(line) > LONGEST_LINE:
                _skip(file, line)
                rejected = (Rejection(row, "", f"the line is longer than {LONGEST_LINE} bytes"),)
                yield Record(row=row, read=file.tell(), rejections=rejected)
            elif content := line.removeprefix(BOM).strip():
                yield self._line(row, content, file.tell())

    def _line(self, row: int, content: bytes, read: int) -> Record:
        try:
            lexical = parse(content)
        except LexicalError as error:
            rejected = (Rejection(row, error.expression, error.message),)
            return Record(row=row, read=read, rejections=rejected)
        return self._record(row, lexical, read)

    def _entries(self, file: BinaryIO) -> Iterator[Record]:
        for row, entry in enumerate(_bundle(file), start=1):
            resource = entry.value.get("resource") if isinstance(entry, Lexical) else None
            if isinstance(resource, Lexical):
                yield self._record(row, resource, file.tell())
            else:
                yield Record(row=row, read=file.tell(), ignored="entry without a resource")

    def _record(self, row: int, lexical: Lexical, read: int) -> Record:
        kind = lexical.value.get("resourceType")
        if kind != PATIENT:
            known = isinstance(kind, str) and kind.isascii() and kind.isalpha()
            return Record(row=row, read=read, ignored=str(kind)[:64] if known else "no resource")
        try:
            self.check(lexical)
        except AlongsideError as error:
            broken = tuple(Rejection(row, p.element, p.rule) for p in error.problems)
            return Record(row=row, read=read, rejections=broken)
        return Record(row=row, read=read, values=lexical.value)

    def put(self, work: Work, values: dict[str, Any]) -> Done:
        return self.take(work, values)

    def column(self, element: str, _values: Any) -> str:  # noqa: ANN401 - of each kind
        return ELEMENTS.get(element, element)


def _is_lines(first: bytes) -> bool:
    """Tell a file with a resource on each line from one that is a Bundle."""
    try:
        value = orjson.loads(first.removeprefix(BOM))
    except orjson.JSONDecodeError:
        return False
    return not (isinstance(value, dict) and value.get("resourceType") == "Bundle")


def _skip(file: BinaryIO, line: bytes) -> None:
    while line and not line.endswith(b"\n"):
        line = file.readline(LONGEST_LINE)


def _bundle(file: BinaryIO) -> list[Any]:
    """Return the entries of a Bundle."""
    body = file.read(LONGEST_BUNDLE + 1)
    if len(body) > LONGEST_BUNDLE:
        raise InvalidError(
            f"a Bundle of more than {LONGEST_BUNDLE} bytes is not read: write the Patients as"
            " NDJSON, one on each line"
        )
    try:
        value = parse_bundle(body.removeprefix(BOM)).value
    except LexicalError as error:
        rule = f"neither NDJSON nor a Bundle: {error.message}"
        raise InvalidError(rule, element=error.expression) from None
    if value.get("resourceType") != "Bundle" or value.get("type") not in BUNDLES:
        raise InvalidError(f"must be a Bundle of type {', '.join(BUNDLES)}", element="Bundle.type")
    entries = value.get("entry", [])
    return entries if isinstance(entries, list) else []
