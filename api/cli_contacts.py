"""`alongside contacts`, `alongside outbox`: who is told of alerts, and what was not delivered."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table
from sqlmodel import select

from api.commanding import audited
from api.operators import connection_id
from api.upkeep import opened
from service import outbox as messages
from service.clock import EPOCH
from service.commands import CreateContact, TestContact, UpdateContact
from service.errors import InvalidError, NotFoundError
from service.handlers import execute
from service.models.safety import Channel, Contact, ContactRole
from service.settings import Settings

contacts = typer.Typer(help="Who is told of safety alerts.", no_args_is_help=True)
outbox = typer.Typer(help="Messages that wait, or were given up.", no_args_is_help=True)

SHORTEST_SECRET = 16
Which = Annotated[UUID, typer.Argument(help="Its id, as `contacts list` shows it.")]
Of = Annotated[str | None, typer.Option(help="A hospital's, for its patients.")]
Group = Annotated[UUID | None, typer.Option(help="A group's, for its members; its id.")]
Secret = Annotated[
    Path | None, typer.Option(help="A file with the secret that webhooks are signed by.")
]


@contacts.command("add")
def add_contact(  # noqa: PLR0913 - a command has its options as arguments
    name: str,
    address: Annotated[str, typer.Argument(help="An e-mail address, or a webhook's.")],
    *,
    role: Annotated[ContactRole, typer.Option()] = ContactRole.ON_CALL,
    connection: Of = None,
    group: Group = None,
    place: Annotated[int, typer.Option(min=0, help="The lowest of a role comes first.")] = 0,
    secret_file: Secret = None,
) -> None:
    """Add a contact who is on duty always; hours are set through /v1. Print its id."""
    channel = Channel.WEBHOOK if "://" in address else Channel.EMAIL
    with opened(Settings()) as context, audited(context, None, "contacts/add"):
        secret = context.cipher.encrypt(_secret(secret_file)) if secret_file else None
        command = CreateContact(
            name=name,
            role=role,
            channel=channel,
            address=address,
            secret=secret,
            connection_id=connection_id(context, connection),
            group_id=group,
            place=place,
        )
        print(execute(context.database, command).id)


def _secret(file: Path) -> bytes:
    try:
        secret = file.read_bytes().strip()
    except OSError as error:
        raise NotFoundError(f"{file} cannot be read") from error
    if len(secret) < SHORTEST_SECRET:
        raise InvalidError(f"{file} holds no secret of at least {SHORTEST_SECRET} bytes")
    return secret


@contacts.command("list")
def list_contacts() -> None:
    """List contacts, without their secrets."""
    table = Table("name", "role", "channel", "address", "of", "hours", "active", "id")
    with opened(Settings()) as context:
        for each in context.database.read(lambda session: session.exec(select(Contact)).all()):
            of = f"hospital {each.connection_id}" if each.connection_id else "all"
            table.add_row(
                each.name,
                each.role,
                each.channel,
                each.address,
                f"group {each.group_id}" if each.group_id else of,
                "always" if each.hours is None else each.time_zone,
                "yes" if each.active else "",
                str(each.id),
            )
    Console().print(table)


@contacts.command("disable")
def disable_contact(contact: Which) -> None:
    """Tell a contact nothing from now on."""
    with opened(Settings()) as context, audited(context, None, "contacts/disable"):
        execute(context.database, UpdateContact(contact_id=contact, active=False))
    print("They are told nothing any more.")


@contacts.command("test")
def test_contact(contact: Which) -> None:
    """Have a worker send them a message that says it is a test."""
    with opened(Settings()) as context, audited(context, None, "contacts/test"):
        execute(context.database, TestContact(contact_id=contact))
    print("Written; `alongside outbox list` shows it where it cannot be delivered.")


@outbox.command("list")
def list_messages() -> None:
    """Say what waits, and why messages were given up."""
    with opened(Settings()) as context:
        now = context.clock()
        for each in context.database.read(lambda session: messages.depths(session, now)):
            print(f"{each.kind}: {each.waiting} wait, {each.due} of them due; {each.dead} given up")
        table = Table("id", "kind", "attempts", "given up at", "why")
        for row in context.database.read(messages.dead_letters):
            at = EPOCH + timedelta(microseconds=row.given_up_at or 0)
            shown = f"{at:%Y-%m-%d %H:%M}"
            table.add_row(str(row.id), row.kind, str(row.attempts), shown, row.failure or "")
    Console().print(table)


@outbox.command("replay")
def replay_messages(
    message: Annotated[
        UUID | None, typer.Argument(help="Only this one; all that were given up if left out.")
    ] = None,
) -> None:
    """Try messages again that were given up."""
    with opened(Settings()) as context, audited(context, None, "outbox/replay"):
        now = context.clock()
        number = context.database.unit_of_work(
            lambda session: messages.replay(session, now, message)
        )
    print(f"{number} messages are tried again.")
