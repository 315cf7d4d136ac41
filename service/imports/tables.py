"""CSV files: a header that must be the template's, and rows whose cells are read one by one.

https://www.rfc-editor.org/rfc/rfc4180
"""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import Any, BinaryIO

from service.errors import AlongsideError, InvalidError, NotFoundError
from service.imports.cells import Read, text
from service.imports.rows import Done, Record, Rejection, Work

DELIMITERS = (",", ";")
COMMENT = "#"
LONGEST_HEADER = 65_536

Values = dict[str, Any]


@dataclass(frozen=True)
class Column:
    """A column: how its cells are read, whether they may be empty, and one for the template."""

    name: str
    read: Read = text
    example: str = ""
    required: bool = False


@dataclass(frozen=True)
class Kind:
    """A kind of table; `elements` says which column a command's element came from."""

    name: str
    columns: tuple[Column, ...]
    put: Callable[[Work, Values], Done]
    elements: dict[str, str] = field(default_factory=dict)

    @property
    def header(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def template(self) -> str:
        """Return a file with one row, which is a comment."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        examples = [column.example for column in self.columns]
        writer.writerows([self.header, [f"{COMMENT} {examples[0]}".rstrip(), *examples[1:]]])
        return out.getvalue()


@dataclass(frozen=True)
class Table:
    """A CSV file of one kind."""

    path: Path
    kind: Kind
    delimiter: str
    zone: tzinfo | None = None

    def records(self) -> Iterator[Record]:
        """Yield the rows; raise InvalidError unless the header is the template's."""
        with opened(self.path) as raw, _decoded(raw) as lines:
            reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
            names = _cells(next(reader, []))
            check_header(names, self.kind.header)
            yield from self._rows(reader, names, raw)

    def _rows(self, reader: Any, names: Sequence[str], raw: BinaryIO) -> Iterator[Record]:  # noqa: ANN401 - csv has no name for it
        while True:
            row = reader.line_num + 1
            try:
                cells = _cells(next(reader))
            except StopIteration:
                return
            except csv.Error as error:
                rejected = (Rejection(row, "", f"the row is not CSV: {error}"),)
                yield Record(row=row, read=raw.tell(), rejections=rejected)
                continue
            if any(cells):
                yield self._record(row, cells, names, raw.tell())

    def _record(self, row: int, cells: list[str], names: Sequence[str], read: int) -> Record:
        if cells[0].startswith(COMMENT):
            return Record(row=row, read=read, ignored="comment")
        if len(cells) != len(names):
            rule = f"the row has {len(cells)} cells, the header has {len(names)}"
            return Record(row=row, read=read, rejections=(Rejection(row, "", rule),))
        values, rejected = self._values(row, dict(zip(names, cells, strict=True)))
        return Record(row=row, read=read, values=values, rejections=tuple(rejected))

    def _values(self, row: int, cells: dict[str, str]) -> tuple[Values, list[Rejection]]:
        values, rejected = Values(), list[Rejection]()
        for column in self.kind.columns:
            cell = cells[column.name]
            try:
                values[column.name] = column.read(cell, self.zone) if cell else None
                if column.required and not cell:
                    raise InvalidError("must not be empty")
            except AlongsideError as error:
                rejected.append(Rejection(row, column.name, error.message))
        return values, rejected

    def put(self, work: Work, values: Values) -> Done:
        return self.kind.put(work, values)

    def column(self, element: str, values: Values) -> str:
        """Return the column of an element; of the person, the one that names the person."""
        name = self.kind.elements.get(element, element)
        if name == "patient_id" and not (values or {}).get("patient_id"):
            return "mrn"
        return name


def opened(path: Path) -> BinaryIO:
    """Open a file to be imported."""
    try:
        return path.open("rb")
    except OSError as error:
        raise NotFoundError(f"{path} cannot be read: {error.strerror}") from error


def header_of(path: Path, delimiter: str | None, known: Sequence[str]) -> tuple[list[str], str]:
    """Return the names in the first row, and what divides them: what makes more of them known."""
    with opened(path) as raw, _decoded(raw) as lines:
        first = lines.readline(LONGEST_HEADER)
    candidates = (delimiter,) if delimiter else DELIMITERS
    found = [(_cells(next(csv.reader([first], delimiter=each), [])), each) for each in candidates]
    return max(found, key=lambda each: len(set(each[0]) & set(known)))


def check_header(names: Sequence[str], wanted: Sequence[str]) -> None:
    """Raise InvalidError unless these are the wanted names, in whatever order."""
    said = []
    if unknown := [name for name in names if name not in wanted]:
        said.append(f"unknown columns: {_printable(unknown)}")
    if missing := [name for name in wanted if name not in names]:
        said.append(f"missing columns: {', '.join(missing)}")
    if len(set(names)) < len(names):
        said.append("a column stands twice")
    if said:
        raise InvalidError(
            f"the first row is not the template's ({'; '.join(said)}):"
            " see `alongside import template`"
        )


def _printable(names: Sequence[str]) -> str:
    shown = ("".join(c if c.isprintable() else "?" for c in name[:60]) for name in names[:20])
    return ", ".join(each or "(no name)" for each in shown)


def _decoded(raw: BinaryIO) -> io.TextIOWrapper:
    """Return the text; what is not UTF-8 is found cell by cell, so that its row can be named."""
    return io.TextIOWrapper(raw, encoding="utf-8-sig", errors="surrogateescape", newline="")


def _cells(row: Sequence[str]) -> list[str]:
    return [cell.strip() for cell in row]
