"""What an operator does now and then at a shell: back up, restore, rebuild."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from api import bootstrap
from api.operators import audited, entry_of
from service import backups, migrations
from service.audit import open_audit
from service.clock import system_clock
from service.fhir.projection import DocumentProjector
from service.fhir.rebuild import Rebuilt
from service.fhir.rebuild import rebuild as rebuild_documents
from service.settings import Settings


def add_to(cli: typer.Typer) -> None:
    """Give the command line these commands."""
    cli.command("backup")(backup)
    cli.command("restore")(restore)
    cli.command("rebuild")(rebuild)


def backup(
    target: Annotated[Path, typer.Argument(help="A new file, or a folder that is there.")],
) -> None:
    """Copy the installation as of one moment, while it serves."""
    settings = Settings()
    context = bootstrap.build(settings)
    moment = f"{context.clock():%Y%m%dT%H%M%SZ}"
    file = backups.named(settings, target, moment) if target.is_dir() else target
    with audited(context, None, "backup"):
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
    writer = open_audit(settings.audit_url)
    writer.write_now(entry_of(system_clock, "restore"))
    writer.close()
    if revision == migrations.newest():
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
    context = bootstrap.build(Settings())
    columns = (TextColumn("Rendering documents again"), BarColumn(), TaskProgressColumn())
    bar = Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True)
    with audited(context, None, "rebuild", query="all" if everything else None), bar:
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
