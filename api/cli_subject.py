"""`alongside subject`: what a person asks for about their own data."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from sqlmodel import col, select

from api import subjects
from api.commanding import audited
from api.context import Context
from api.upkeep import opened
from service.commands import LiftRestriction, RestrictProcessing
from service.errors import NotFoundError
from service.handlers import execute
from service.models.subjects import Basis, Erasure, Restriction
from service.settings import Settings
from service.subjects.erasing import EraseData, erase, unfinished
from service.subjects.planning import Plan, plan
from service.subjects.retention import Rule, rules_of
from service.subjects.traces import scrub

subject = typer.Typer(help="What a person asks for about their data.", no_args_is_help=True)

Person = Annotated[UUID, typer.Argument(help="The patient's id, as /v1 has it.")]
By = Annotated[str, typer.Option(help="On whose behalf.")]


class Wanted(StrEnum):
    ZIP = "zip"
    HTML = "html"
    FHIR = "fhir"


@contextmanager
def _act(name: str, *people: UUID) -> Iterator[Context]:
    """Yield what an act works with; it has its audit row before anything is said."""
    with (
        opened(Settings()) as context,
        audited(context, None, f"subject/{name}", about=people),
    ):
        yield context


@subject.command("export")
def export_person(
    person: Person,
    out: Annotated[Path, typer.Option(help="The file to write.")],
    *,
    form: Annotated[Wanted, typer.Option("--format", help="What to write.")] = Wanted.ZIP,
) -> None:
    """Write everything about a person: a page to read, and FHIR Bundles."""
    with _act("export", person) as context:
        found = context.database.read(lambda session: subjects.exported(context, session, person))
        name = context.settings.programme_name
    made = {
        Wanted.ZIP: lambda: subjects.archive(found, name),
        Wanted.HTML: lambda: subjects.page(found, name),
        Wanted.FHIR: lambda: subjects.bundle(found),
    }
    out.write_bytes(made[form]())
    print(f"Wrote {out}: hand it over safely, then delete it.")


@subject.command("plan")
def plan_erasure(person: Person) -> None:
    """Say what would be erased of a person today, what not, and why; nothing is done."""
    with _act("plan", person) as context:
        found = _planned(context, person)
    for line in lines(found):
        print(line)


def _planned(context: Context, person: UUID) -> Plan:
    rules = _rules(context)
    return context.database.read(lambda session: plan(session, person, rules, context.clock()))


def _rules(context: Context) -> tuple[Rule, ...]:
    settings = context.settings
    return rules_of(settings.retention_jurisdiction, settings.retention_file)


def lines(found: Plan) -> list[str]:
    """Return a plan in sentences."""
    said = []
    for each in found.parts:
        if each.is_erased:
            said.append(f"ERASED  {each.kind.value}: {each.rows} rows.")
        else:
            until = f" until {each.until}" if each.until else ""
            said.append(f"KEPT    {each.kind.value}: {each.rows} rows{until}; {each.why}.")
    said += [f"BY HAND {each}." for each in found.by_hand]
    if found.kinds:
        said.append(f"To do it: alongside subject erase {found.person} --digest {found.digest}")
    else:
        said.append("Nothing may be erased yet.")
    return said


@subject.command("erase")
def erase_person(
    person: Person,
    digest: Annotated[str, typer.Option(help="Of the plan, as `subject plan` prints it.")],
    *,
    basis: Annotated[Basis, typer.Option(help="Why.")] = Basis.REQUEST,
    by: By = "operator",
    keep_traces: Annotated[
        bool, typer.Option(help="Leave the database's files to a later `subject scrub`.")
    ] = False,
) -> None:
    """Do what was planned; what cannot be erased is said."""
    command = EraseData(patient_id=person, digest=digest, basis=basis, erased_by=by)
    with _act("erase", person) as context:
        row = _erased(context, command)
    _say(row)
    if not keep_traces:
        scrub_files()


def _erased(context: Context, command: EraseData) -> Erasure:
    columns = (TextColumn("Erasing"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("erase", total=None)
        return erase(
            context.database,
            command,
            _rules(context),
            lambda done, total: bar.update(task, completed=done, total=total),
            context.pseudonyms.forget,
        )


def _say(row: Erasure) -> None:
    print(f"Erasure {row.id}: {sum(row.erased.values())} rows were erased.")
    for each in row.kept:
        until = f" until {each['until']}" if each["until"] else ""
        print(f"KEPT    {each['kind']}: {each['rows']} rows{until}; {each['why']}.")
    print("Backups hold what was there until they are deleted: docs/privacy.md says what to do.")


@subject.command("resume")
def resume_erasures(*, by: By = "operator") -> None:
    """Go on with erasures that were stopped."""
    with opened(Settings()) as context:
        stopped = context.database.read(unfinished)
    for row in stopped:
        person = UUID(row.pending["family"][0])
        command = EraseData(patient_id=person, digest="", basis=row.basis, erased_by=by)
        with _act("erase", person) as context:
            done = _erased(context, command)
        _say(done)


@subject.command("scrub")
def scrub_files() -> None:
    """Overwrite what erased rows have left in the database's files; writers wait meanwhile."""
    with _act("scrub") as context:
        scrub(context.settings.database_url)
    print("What erased rows had left in the database's files is overwritten.")


@subject.command("restrict")
def restrict_person(
    person: Person,
    reason: Annotated[str, typer.Option(help="Why.")],
    *,
    until: Annotated[datetime | None, typer.Option(help="When it ends by itself, UTC.")] = None,
    by: By = "operator",
) -> None:
    """Let nothing about a person go to a hospital, and record nothing new, until it is lifted."""
    command = RestrictProcessing(
        patient_id=person,
        reason=reason,
        until=until.replace(tzinfo=UTC) if until else None,
        restricted_by=by,
    )
    with _act("restrict", person) as context:
        row: Restriction = execute(context.database, command)
    print(f"Restricted{f' until {row.until:%Y-%m-%d %H:%M} UTC' if row.until else ''}.")


@subject.command("lift")
def lift_restrictions(person: Person, *, by: By = "operator") -> None:
    """Lift what restricts a person's data."""
    where = (Restriction.patient_id == person, col(Restriction.lifted_at).is_(None))
    with _act("lift", person) as context:
        found = context.database.read(
            lambda session: session.exec(select(Restriction.id).where(*where)).all()
        )
        if not found:
            raise NotFoundError("nothing restricts this person's data")
        for each in found:
            execute(context.database, LiftRestriction(restriction_id=each, lifted_by=by))
    print("Lifted.")
