"""What an operator does now and then at a shell: back up, restore, rebuild, close."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from api import bootstrap
from api.commanding import audited, entry_of
from api.context import Context
from api.doctor import examine
from api.doctor.findings import Level
from service import backups, maintenance, migrations
from service.audit import open_audit, prepare
from service.clock import EPOCH, microseconds, system_clock
from service.fhir.projection import DocumentProjector
from service.fhir.rebuild import Rebuilt
from service.fhir.rebuild import rebuild as rebuild_documents
from service.fhir.refresh import refresh_due
from service.handlers import settle_waitlists
from service.settings import Settings

closing = typer.Typer(help="Close the service for a while.", no_args_is_help=True)
RetryAfter = Annotated[
    int, typer.Option(min=1, max=86_400, help="After how many seconds to come back.")
]


def add_to(cli: typer.Typer) -> None:
    """Give the command line these commands."""
    cli.command("backup")(backup)
    cli.command("restore")(restore)
    cli.command("rebuild")(rebuild)
    cli.command("settle")(settle)
    cli.command("doctor")(doctor)
    cli.add_typer(closing, name="maintenance")


@contextmanager
def opened(settings: Settings) -> Iterator[Context]:
    """Yield a context whose connections end with the block."""
    context = bootstrap.build(settings)
    try:
        yield context
    finally:
        context.audit.close()
        context.audit_reader.close()
        context.database.close()


def backup(
    target: Annotated[Path, typer.Argument(help="A new file, or a folder that is there.")],
) -> None:
    """Copy the installation as of one moment, while it serves."""
    settings = Settings()
    with opened(settings) as context, audited(context, None, "backup"):
        moment = f"{context.clock():%Y%m%dT%H%M%SZ}"
        file = backups.named(settings, target, moment) if target.is_dir() else target
        made = backups.backup(settings, file)
    print(*made, sep="\n")


def restore(
    file: Annotated[Path, typer.Argument(help="What `alongside backup` wrote.")],
    *,
    replace: Annotated[bool, typer.Option(help="Lose what the database holds now.")] = False,
) -> None:
    """Take a copy back, into an empty database; the service must be stopped."""
    settings = Settings()
    revision = backups.restore(settings, file, replace=replace)
    if revision == migrations.newest():  # else its table may be another
        prepare(settings.audit_url)
        writer = open_audit(settings.audit_url)
        writer.write_now(entry_of(system_clock, "restore"))
        writer.close()
        print("Restored.")
    else:
        print(f"Restored, at revision {revision}: run `alongside migrate` before you serve it.")


def rebuild(
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Every document, whatever revision made it.")
    ] = False,
) -> None:
    """Render documents again that an older mapping made; the service may run meanwhile."""
    columns = (TextColumn("Rendering documents again"), BarColumn(), TaskProgressColumn())
    bar = Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True)
    query = "all" if everything else None
    with opened(Settings()) as context, audited(context, None, "rebuild", query=query), bar:
        task = bar.add_task("rebuild", total=None)
        done = rebuild_documents(
            context.database,
            DocumentProjector(context.registry, context.clock),
            everything=everything,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    print(_said(done))


def _said(done: Rebuilt) -> str:
    sentences = [f"{done.sources} sources rendered again; {done.versions} new versions."]
    if done.newer:
        sentences.append(
            f"{done.newer} documents of a newer version of the service were left alone:"
            " run its `alongside rebuild`."
        )
    return " ".join(sentences)


def settle() -> None:
    """Do what the clock has brought, and offer free seats; for a timer, every few minutes.

    Any request does the first of the two, for itself: this is for when none comes.
    """
    with opened(Settings()) as context, audited(context, None, "settle"):
        due = refresh_due(context.database, context.clock)
        waitlists = settle_waitlists(context.database)
    print(f"Offers, holds and consents that had come to their time: {due}.")
    print(f"Groups with a waitlist: {waitlists}.")


def doctor(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not ask the public address.")
    ] = False,
) -> None:
    """Say whether the installation is well; the exit code is 1 where something is wrong."""
    found = list(examine(Settings(), asks=not offline))
    if as_json:
        print(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
    else:
        for each in found:
            print(f"{each.level.value:8} {each.sentence}")
    if any(each.level is Level.ERROR for each in found):
        raise typer.Exit(1)


@closing.command("on")
def close_service(retry_after: RetryAfter = maintenance.RETRY_SECONDS) -> None:
    """Answer 503 to everything but health and metadata, in every process within two seconds."""
    with opened(Settings()) as context, audited(context, None, "maintenance/on"):
        at = microseconds(context.clock())
        context.database.unit_of_work(lambda session: maintenance.begin(session, retry_after, at))
    print(f"Maintenance is on; callers are told to come back after {retry_after} s.")


@closing.command("off")
def open_service() -> None:
    """Answer again, within two seconds."""
    with opened(Settings()) as context, audited(context, None, "maintenance/off"):
        context.database.unit_of_work(maintenance.end)
    print("Maintenance is off.")


@closing.command("status")
def maintenance_status() -> None:
    """Say whether it is on."""
    with opened(Settings()) as context:
        found = context.database.read(maintenance.status)
    if found is None:
        print("Maintenance is off.")
        return
    since = EPOCH + timedelta(microseconds=found.since)
    print(f"Maintenance is on since {since:%Y-%m-%d %H:%M} UTC.")
