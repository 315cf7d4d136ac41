"""`alongside secrets`: what must be read again, encrypted by which key."""

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from api.commanding import audited
from api.upkeep import opened
from service.encryption import UNNAMED
from service.rewrapping import keys_in_use, rewrap
from service.settings import Settings

secrets = typer.Typer(help="Secrets that are kept encrypted.", no_args_is_help=True)


@secrets.command("rotate")
def rotate_secrets() -> None:
    """Encrypt every secret by the first key of ALONGSIDE_SECRETS_KEYS, while others serve."""
    columns = (TextColumn("Encrypting secrets"), BarColumn(), TaskProgressColumn())
    with (
        opened(Settings()) as context,
        audited(context, None, "secrets/rotate"),
        Progress(*columns, console=Console(stderr=True), transient=True) as bar,
    ):
        task = bar.add_task("rotate", total=None)
        done = rewrap(
            context.database,
            context.cipher,
            lambda seen, total: bar.update(task, completed=seen, total=total),
        )
    print(f"{done} secrets were encrypted again; former keys can leave the setting now.")


@secrets.command("status")
def secrets_status() -> None:
    """Say how many secrets each key has encrypted."""
    with opened(Settings()) as context:
        current, used = context.cipher.current, context.database.read(keys_in_use)
    for name, count in sorted(used.items()):
        which = "the present key" if name == current else "a former key"
        named = "no key that is named" if name == UNNAMED else f"{name}, {which}"
        print(f"{count} secrets: {named}.")
    present = current or "nothing: ALONGSIDE_SECRETS_KEYS is not set"
    print(f"New secrets are encrypted by {present}.")
