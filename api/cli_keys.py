"""`alongside keys`: what we sign with, and what private keys are encrypted by."""

from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from api import bootstrap, operators
from service.clock import EPOCH
from service.encryption import new_key
from service.models.keys import SigningKey
from service.settings import Settings
from service.smart.signing import all_keys

keys = typer.Typer(help="The keys that this service signs with.", no_args_is_help=True)


@keys.command("rotate")
def rotate_keys(
    *,
    older_than: Annotated[
        int, typer.Option(min=0, help="Only those that have signed for as many days.")
    ] = 0,
) -> None:
    """Sign with new keys from now on; the old ones stay published for two hours."""
    context = bootstrap.build(Settings())
    added = operators.rotate_keys(context, timedelta(days=older_than))
    for each in added:
        print(f"{each.algorithm} signs with {each.kid} from now on.")
    if not added:
        print(f"No key has signed for {older_than} days: nothing was rotated.")


@keys.command("list")
def list_keys() -> None:
    """List the keys that are published, the newest first."""
    context = bootstrap.build(Settings())
    table = Table("kid", "algorithm", "since", "published until")
    for each in context.database.read(all_keys):
        table.add_row(each.kid, each.algorithm, f"{each.created_at:%Y-%m-%d %H:%M}", _until(each))
    Console().print(table)


@keys.command("secret")
def print_secret() -> None:
    """Print a new value for ALONGSIDE_SECRETS_KEYS, and nothing else."""
    print(new_key())


def _until(key: SigningKey) -> str:
    if key.published_until is None:
        return "it signs"
    return f"{EPOCH + timedelta(microseconds=key.published_until):%Y-%m-%d %H:%M}"
