"""`alongside demo`: loads the demo where there is nothing yet, and says where to look."""

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from api.demo.commands import commands
from api.demo.load import State, begun_on, load, state
from api.demo.scenario import make_plan
from service.database import Database

ALREADY = "The demo is loaded; its data are kept as they are."
OTHERS = "This database holds data that are not the demo's, so the demo is not loaded into it."
RESUMED = "An earlier load was interrupted; it goes on where it stopped."


def run(database: Database, base_url: str, console: Console | None = None) -> None:
    """Load what is missing, with a progress bar, and print what to try."""
    console = console or Console()
    found = state(database)
    if found is State.OTHER:
        console.print(OTHERS)
        return
    if found is State.COMPLETE:
        console.print(ALREADY)
    else:
        if found is State.PARTIAL:
            console.print(RESUMED)
        _load(database, console)
    tell(database, base_url, console)


def _load(database: Database, console: Console) -> None:
    plan = make_plan(begun_on(database) or database.clock().date())
    columns = (TextColumn("Loading the demo"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        task = progress.add_task("demo", total=plan.units)
        load(database, plan, lambda: progress.advance(task))


def tell(database: Database, base_url: str, console: Console) -> None:
    """Print addresses and commands: never wrapped, so that they can be copied."""
    lines = [
        "",
        f"Start page         {base_url}/",
        f"API documentation  {base_url}/docs",
        f"FHIR               {base_url}/fhir/metadata",
        "",
        "To try it, paste these into another terminal, in this folder:",
    ]
    for number, command in enumerate(commands(database, base_url), start=1):
        lines += ["", f"# {number}. {command.title}", command.shell]
    console.out("\n".join([*lines, ""]), highlight=False)
