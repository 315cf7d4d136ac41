"""`alongside clients invite`: let a hospital's software register itself, once."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Column, Table

from api import bootstrap, operators
from service.clock import EPOCH
from service.models.connections import Confidentiality, Invitation
from service.models.purposes import Purpose
from service.settings import Settings
from service.smart.invitations import NewInvitation, open_invitations


def add_to(clients: typer.Typer) -> None:
    """Give `alongside clients` these commands."""
    clients.command("invite")(invite)
    clients.command("invitations")(list_invitations)
    clients.command("withdraw")(withdraw)


def invite(
    scope: Annotated[list[str], typer.Option(help="The most it may have; more than once.")],
    *,
    connection: Annotated[
        str | None, typer.Option(help="A hospital's; else the programme's.")
    ] = None,
    ceiling: Annotated[Confidentiality, typer.Option()] = Confidentiality.RESTRICTED,
    roster: Annotated[bool, typer.Option(help="May read rosters.")] = False,
    purpose: Annotated[
        Purpose, typer.Option(help="What it reads for; consents name it.")
    ] = Purpose.TREATMENT,
    expires: Annotated[int, typer.Option(min=1, help="In how many hours.")] = 72,
) -> None:
    """Print a token by which one piece of software registers itself; it is shown once."""
    new = NewInvitation(
        scopes=tuple(word for each in scope for word in each.split()),
        lasts=timedelta(hours=expires),
        ceiling=ceiling,
        roster_role=roster,
        purpose=purpose,
    )
    print(operators.invite(bootstrap.build(Settings()), new, connection)[1])


def list_invitations() -> None:
    """List the invitations that can still be used, without their tokens."""
    context = bootstrap.build(Settings())
    now = context.clock()
    named = Column("id", overflow="fold", min_width=36)  # to be typed again, so never cut
    table = Table(named, "connection", "scopes", "ceiling", "purpose", "roster", "until")
    names = context.database.read(operators.connection_names)
    for each in context.database.read(lambda session: open_invitations(session, now)):
        table.add_row(
            str(each.id),
            names[each.connection_id] if each.connection_id else "(programme)",
            " ".join(each.scopes),
            each.ceiling.value,
            each.purpose.value,
            "yes" if each.roster_role else "",
            _until(each),
        )
    Console().print(table)


def withdraw(invitation: UUID) -> None:
    """Let nobody use an invitation any more; `clients invitations` has their ids."""
    operators.withdraw_invitation(bootstrap.build(Settings()), invitation)
    print("It is withdrawn.")


def _until(invitation: Invitation) -> str:
    return f"{EPOCH + timedelta(microseconds=invitation.expires_at):%Y-%m-%d %H:%M}"
