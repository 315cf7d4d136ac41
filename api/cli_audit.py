"""The commands `alongside audit ...`: what a security officer checks."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from api import operators
from api.commanding import audited
from api.exporting import export_audit
from api.pruning import complete, prune_audit
from api.upkeep import opened
from service.audit.partitions import id_at
from service.audit.reading import Asked
from service.audit.verification import Verified, count, verify
from service.clock import EPOCH
from service.errors import InvalidError
from service.settings import Settings

audit = typer.Typer(help="Who asked for what: the audit rows.", no_args_is_help=True)


@audit.command("verify")
def verify_chains(
    *, quiet: Annotated[bool, typer.Option(help="Say only what is wrong.")] = False
) -> None:
    """Check that no audit row was changed, taken out or put in; exit code 1 where one was."""
    settings = Settings()
    url = settings.audit_url
    with opened(settings) as context:
        completed = complete(context)
    if completed and not quiet:
        print(f"{completed} changes had no audit row; they have one now, which says so.")
    columns = (TextColumn("Checking audit rows"), BarColumn(), TaskProgressColumn())
    bar = Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True)
    with bar:
        task = bar.add_task("verify", total=count(url))
        found = verify(url, seen=lambda rows: bar.update(task, completed=rows))
    for problem in found.problems:
        print(f"WRONG  {problem}.")
    if not quiet:
        print(_said(found))
    if found.problems:
        raise typer.Exit(1)


@audit.command("show")
def show_rows(
    *,
    client: Annotated[str | None, typer.Option(help="Of this client.")] = None,
    patient: Annotated[UUID | None, typer.Option(help="About this person, by id.")] = None,
    since: Annotated[datetime | None, typer.Option(help="From this time on, in UTC.")] = None,
    most: Annotated[int, typer.Option(min=1, max=10_000, help="So many, the newest.")] = 50,
) -> None:
    """Show audit rows, opened; that somebody looked has its row too."""
    about = [patient] if patient else []
    with opened(Settings()) as context, audited(context, client, "audit/show", about=about):
        asked = Asked(client=client, since=id_at(since.replace(tzinfo=UTC)) if since else None)
        rows = operators.audit_rows(context, asked, patient, most)
    for each in rows:
        entry = each.entry
        moment = EPOCH + timedelta(microseconds=entry.at)
        who = " for ".join(name for name in (entry.client, entry.person) if name) or "-"
        address = each.path + (f"?{each.query}" if each.query else "")
        print(f"{moment:%Y-%m-%d %H:%M:%S} {entry.status:3} {who} {entry.method} {address}")


@audit.command("export")
def export_rows() -> None:
    """Tell the collector of ALONGSIDE_AUDIT_EXPORT what it was not told yet."""
    settings = Settings()
    if settings.audit_export is None:
        raise InvalidError("set ALONGSIDE_AUDIT_EXPORT to the collector's address")
    with opened(settings) as context:
        sent = export_audit(context, settings.audit_export)
    print(f"{sent} rows and seals were sent.")


@audit.command("prune")
def prune_rows(
    *,
    months: Annotated[
        int | None,
        typer.Option(min=1, help="Keep as many whole months; else ALONGSIDE_AUDIT_KEEP_MONTHS."),
    ] = None,
) -> None:
    """Delete the rows of months whose time is over, and seal what was deleted."""
    settings = Settings()
    kept = months or settings.audit_keep_months
    if kept is None:
        raise InvalidError("say how many --months to keep, or set ALONGSIDE_AUDIT_KEEP_MONTHS")
    with opened(settings) as context:
        found = prune_audit(context, kept)
    if found is None:
        print("No row is older than that.")
    else:
        print(f"{found.rows} rows from before {found.before} were deleted.")


def _said(found: Verified) -> str:
    looked = f"{found.rows} rows of {found.writers} writers and {found.seals} seals were checked"
    more = {
        "runs of old rows were deleted by retention": found.cuts,
        "rows are from before there were chains": found.unchained,
        "rows are in no seal yet: their process runs, or was killed": found.unsealed,
    }
    looked += "".join(f"; {number} {what}" for what, number in more.items() if number)
    if found.problems:
        return f"{looked}. Keep a copy of this database as it is, and compare it with a backup."
    return f"{looked}. Nothing was changed, taken out or put in."
