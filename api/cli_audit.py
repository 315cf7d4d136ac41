"""The commands `alongside audit ...`: what a security officer checks."""

from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from service.audit.verification import Verified, count, verify
from service.settings import Settings

audit = typer.Typer(help="Who asked for what: the audit rows.", no_args_is_help=True)


@audit.callback()
def _group() -> None:
    """Keep `verify` a command of its own while it is the only one."""


@audit.command("verify")
def verify_chains(
    *, quiet: Annotated[bool, typer.Option(help="Say only what is wrong.")] = False
) -> None:
    """Check that no audit row was changed, taken out or put in; exit code 1 where one was."""
    url = Settings().audit_url
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


def _said(found: Verified) -> str:
    looked = f"{found.rows} rows of {found.writers} writers and {found.seals} seals were checked"
    older = f"; {found.unchained} rows are from before there were chains" if found.unchained else ""
    if found.problems:
        return (
            f"{looked}{older}. Keep a copy of this database as it is, and compare it with a backup."
        )
    return f"{looked}{older}: nothing was changed, taken out or put in."
