"""`alongside import`: files of patients, groups, rosters, attendance and responses (ADR 0027).

The exit code is 0 where every row is in, 1 where none is, and 3 where some were left out.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from api.context import Context
from api.import_runs import Asked, carry_out
from fhir_mappings.patient import to_person
from service.errors import InvalidError, NotFoundError
from service.fhir.submission import checked
from service.imports import resources
from service.imports.attendance import ATTENDANCE
from service.imports.groups import GROUPS
from service.imports.patients import Taking, connection_named
from service.imports.resources import Resources
from service.imports.responses import responses, responses_of
from service.imports.roster import ROSTER
from service.imports.rows import Source
from service.imports.running import Mode
from service.imports.tables import Kind, Table, check_header, header_of
from service.instruments import load_instruments

imports = typer.Typer(help="Take in files: all rows or none.", no_args_is_help=True)
KINDS = {kind.name: kind for kind in (GROUPS, ROSTER, ATTENDANCE)}


class Template(StrEnum):
    """What there are files of."""

    PATIENTS = "patients"
    GROUPS = "groups"
    ROSTER = "roster"
    ATTENDANCE = "attendance"
    RESPONSES = "responses"


class Delimiter(StrEnum):
    """What divides the cells of a row."""

    COMMA = "comma"
    SEMICOLON = "semicolon"


DELIMITERS = {Delimiter.COMMA: ",", Delimiter.SEMICOLON: ";"}

File = Annotated[Path, typer.Argument(help="CSV in UTF-8, with the template's header.")]
Resource = Annotated[Path, typer.Argument(help="NDJSON of Patients, or a Bundle.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be, and keep nothing.")]
Partial = Annotated[bool, typer.Option("--partial", help="Take in the good rows.")]
ReportTo = Annotated[
    Path | None, typer.Option("--report", help="A CSV file for every rejected row.")
]
Zone = Annotated[
    str | None, typer.Option("--time-zone", help="Of times without an offset: Europe/London.")
]
Divided = Annotated[Delimiter | None, typer.Option("--delimiter", help="Else the header tells.")]


@imports.command("patients")
def import_patients(
    file: Resource,
    connection: Annotated[str, typer.Option(help="The hospital whose patients they are.")],
    *,
    namesakes: Annotated[
        bool, typer.Option("--namesakes", help="Those of a known name and birth date are others.")
    ] = False,
    dry_run: DryRun = False,
    partial: Partial = False,
    report: ReportTo = None,
) -> None:
    """Add a hospital's patients, each linked to its record; who is known stays as they are."""

    def source(context: Context) -> Source:
        row = context.database.read(lambda session: connection_named(session, connection))
        return Resources(
            file,
            check=lambda lexical: checked(context.writing, resources.PATIENT, lexical),
            take=Taking(row, to_person, namesakes=namesakes),
        )

    asked = Asked("patients", file, _mode(dry_run, partial), report, connection)
    carry_out(asked, source)


@imports.command("groups")
def import_groups(
    file: File,
    *,
    dry_run: DryRun = False,
    partial: Partial = False,
    report: ReportTo = None,
    delimiter: Divided = None,
) -> None:
    """Add groups, or change those that were imported under the same key."""
    asked = Asked("groups", file, _mode(dry_run, partial), report)
    carry_out(asked, lambda _context: _table(asked, delimiter, None))


@imports.command("roster")
def import_roster(
    file: File,
    *,
    dry_run: DryRun = False,
    partial: Partial = False,
    report: ReportTo = None,
    time_zone: Zone = None,
    delimiter: Divided = None,
) -> None:
    """Enrol people in groups, also those who have left."""
    asked = Asked("roster", file, _mode(dry_run, partial), report)
    carry_out(asked, lambda _context: _table(asked, delimiter, time_zone))


@imports.command("attendance")
def import_attendance(
    file: File,
    *,
    dry_run: DryRun = False,
    partial: Partial = False,
    report: ReportTo = None,
    time_zone: Zone = None,
    delimiter: Divided = None,
) -> None:
    """Record who came to which session; a session that is not known is added."""
    asked = Asked("attendance", file, _mode(dry_run, partial), report)
    carry_out(asked, lambda _context: _table(asked, delimiter, time_zone))


@imports.command("responses")
def import_responses(
    file: File,
    *,
    dry_run: DryRun = False,
    partial: Partial = False,
    report: ReportTo = None,
    time_zone: Zone = None,
    delimiter: Divided = None,
) -> None:
    """Record and score questionnaires of one instrument; safety rules raise alerts as ever."""
    asked = Asked("responses", file, _mode(dry_run, partial), report)
    carry_out(asked, lambda _context: _table(asked, delimiter, time_zone))


@imports.command("template")
def print_template(
    kind: Template,
    *,
    instrument: Annotated[str, typer.Option(help="Of responses: such as gad-7.")] = "phq-9",
) -> None:
    """Print a file to begin with; its one row of CSV is a comment."""
    if kind is Template.PATIENTS:
        print(resources.TEMPLATE)
    elif kind is Template.RESPONSES:
        if instrument not in load_instruments():
            raise NotFoundError(f"known instruments are {', '.join(sorted(load_instruments()))}")
        print(responses(load_instruments()[instrument]).template(), end="")
    else:
        print(KINDS[kind.value].template(), end="")


def _mode(dry_run: bool, partial: bool) -> Mode:
    if dry_run:
        return Mode.DRY_RUN
    return Mode.PARTIAL if partial else Mode.WHOLE


def _table(asked: Asked, delimiter: Delimiter | None, time_zone: str | None) -> Table:
    """Return the table, whose header is right."""
    divided = DELIMITERS[delimiter] if delimiter else None
    every = list(KINDS.values()) + [responses(each) for each in load_instruments().values()]
    known = [name for kind in every for name in kind.header]
    names, found = header_of(asked.file, divided, known)
    kind: Kind = KINDS[asked.kind] if asked.kind in KINDS else responses_of(names)
    check_header(names, kind.header)
    return Table(asked.file, kind, found, _zone(time_zone))


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):
        raise InvalidError("--time-zone must be one that is known, as Europe/London") from None
