"""`alongside instruments`: which questionnaires are there, what they lack, and more of them."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table
from sqlmodel import Session, select

from api import bootstrap
from service import instruments as known
from service.guard import touch
from service.instruments import Instrument
from service.instruments.added import InstrumentFileError, add, problems, read_file
from service.models.screening import Instrument as Published
from service.settings import Settings

instruments = typer.Typer(
    help="Questionnaires: those that ship, and those that you add.", no_args_is_help=True
)
File = Annotated[Path, typer.Argument(help="A definition, as docs/instruments.md explains it.")]


@instruments.command("list")
def list_instruments() -> None:
    """List every questionnaire with its licence, what is verified and what is missing."""
    table = Table(
        Column("id", overflow="fold"),
        Column("name", overflow="fold"),
        "version",
        "items",
        "text",
        "scored",
        "codes",
        Column("licence", overflow="fold"),
        Column("missing", overflow="fold"),
    )
    for each in known.all_versions():
        table.add_row(*_row(each))
    Console().print(table)


def _row(form: Instrument) -> list[str]:
    return [
        form.id,
        form.name,
        form.version,
        str(len(form.items)),
        "yes" if form.text_ships else "no",
        "yes" if all(item.scores for item in form.scored_items) else "no",
        "verified" if form.verification.verified else "in part",
        form.licence.statement,
        " ".join(form.gaps),
    ]


@instruments.command("check")
def check_instrument(file: File) -> None:
    """Say everything that is wrong with a definition; nothing is added."""
    form = read_file(file)
    if found := problems(form, known.shipped()):
        raise InstrumentFileError(f"{file} is wrong. " + ". ".join(found))
    print(f"{form.name} {form.version} is right: {len(form.items)} items.")


@instruments.command("add")
def add_instrument(file: File) -> None:
    """Add a questionnaire, or your licensed copy of one that ships without its words."""
    form = add(file, known.shipped())
    known.forget()
    context = bootstrap.build(Settings())
    bootstrap.publish_instruments(context.database)
    bootstrap.publish_definitions(context.database)
    context.database.unit_of_work(
        lambda session: _render_again(session, form), bootstrap.INSTALLATION
    )
    print(f"{form.name} {form.version} is added. Restart `alongside serve` wherever it runs.")


def _render_again(session: Session, form: Instrument) -> None:
    """Render the Questionnaire from the definition as it is now."""
    named = (Published.name == form.id, Published.version == form.version)
    row = session.exec(select(Published).where(*named)).one()
    touch(session, row)
