"""The command `alongside`: what an operator does at a shell.

What goes wrong is said in a sentence with the next step; the exit code is then 1.
"""

import gc
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
import uvicorn
from pydantic import ValidationError
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from sqlalchemy.exc import SQLAlchemyError

from api import bootstrap, cli_invitations, logs, openapi, operators, upkeep
from api.cli_audit import audit
from api.cli_clients import clients
from api.cli_instruments import instruments
from api.cli_issuers import issuers
from api.cli_keys import keys
from api.cli_series import series
from api.demo import bench_form
from api.demo.run import run as run_demo
from api.importing import imports
from api.main import create_app, described
from api.peers import Peers
from service import migrations
from service.commands import CreateConnection
from service.errors import AlongsideError
from service.models.connections import ConsentPolicy, Environment
from service.settings import Settings

cli = typer.Typer(
    help="Support groups beside formal treatment, as FHIR R4.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
connections = typer.Typer(help="Hospitals, each with its EHR.", no_args_is_help=True)
cli.add_typer(audit, name="audit")
cli.add_typer(clients, name="clients")
cli_invitations.add_to(clients)
cli.add_typer(connections, name="connections")
cli.add_typer(imports, name="import")
cli.add_typer(series, name="series")
cli.add_typer(instruments, name="instruments")
cli.add_typer(issuers, name="issuers")
cli.add_typer(keys, name="keys")
upkeep.add_to(cli)

Port = Annotated[int, typer.Option(envvar="PORT", min=1, max=65535)]


def main() -> None:
    """Run the command line."""
    os.umask(0o077)  # a SQLite file has patients in it: for its owner alone
    try:
        cli()
    except ValidationError as error:
        names = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        _fail(f"a setting is wrong: {names}. docs/configuration.md has them all.")
    except (AlongsideError, bootstrap.NotInstalledError) as error:
        _fail(str(error))
    except SQLAlchemyError as error:
        kind = type(getattr(error, "orig", None) or error).__name__
        _fail(f"the database refused ({kind}): check DATABASE_URL, then run `alongside migrate`")


def _fail(sentence: str) -> None:
    print(f"alongside: {sentence}", file=sys.stderr)
    sys.exit(1)


COLLECTIONS = (10_000, 10, 10)  # allocations before one, and how many before the next generation
SERVER: Any = {
    "loop": "auto",
    "http": "httptools",
    "ws": "none",  # what asks for a WebSocket is answered as HTTP, and so has its audit row
    "log_config": None,
    "access_log": False,  # the audit rows say more, and a log must not name patients
    "server_header": False,
}


@cli.command()
def migrate(
    *, check: Annotated[bool, typer.Option(help="Compare the models with the revisions.")] = False
) -> None:
    """Bring the database to the newest revision."""
    if not check:
        settings = Settings()
        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("Indexing documents", visible=False)
            bootstrap.install(
                settings,
                progress=lambda done, total: bar.update(
                    task, completed=done, total=total, visible=True
                ),
            )
        print(f"The database is at revision {migrations.newest()}.")
        return
    if differences := migrations.check():
        print(*differences, sep="\n", file=sys.stderr)
        _fail('the models have no revision: make migration m="what changes"')
    print("Models and revisions agree.")


@cli.command()
def serve(host: str = "127.0.0.1", port: Port = 8000) -> None:
    """Serve until interrupted."""
    settings = settings_at(host, port)
    logs.configure(settings)
    context = bootstrap.build(settings)
    if migrations.current(settings.database_url) != migrations.newest():
        _fail("the database is at an older revision: run `alongside migrate`")
    bootstrap.require_instruments(context.database)
    app = create_app(context)
    # What start-up made lives as long as the process, and a full collection that walks it stalls
    # every request for 50 ms (measured). Nor is there one every few nodes of a large body.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTIONS)
    print(f"Alongside serves on {settings.public_base_url} (Ctrl-C ends it)", flush=True)
    uvicorn.run(
        Peers(app, settings),
        host=host,
        port=port,
        **SERVER,
        proxy_headers=False,  # Peers reads them, and whom to believe
    )


@cli.command()
def demo(port: Port = 8000) -> None:
    """Load the demo of synthetic people where there is nothing yet, and say where to look."""
    settings = settings_at("127.0.0.1", port)
    context = bootstrap.build(settings)
    run_demo(context.database, settings.public_base_url)


@cli.command()
def token(
    client: Annotated[str, typer.Option(help="The client's name.")],
    scope: Annotated[str, typer.Option(help="Scopes, separated by spaces.")],
) -> None:
    """Print an access token for a client, and nothing else."""
    context = bootstrap.build(Settings())
    print(operators.token(context, client, scope))


@connections.command("add")
def add_connection(
    name: str,
    mrn_system: Annotated[str, typer.Option(help="System of its medical record numbers, a URI.")],
    *,
    environment: Annotated[Environment, typer.Option()] = Environment.TEST,
    policy: Annotated[
        ConsentPolicy, typer.Option(help="What holds where a person has said nothing.")
    ] = ConsentPolicy.OPT_IN,
) -> None:
    """Add a hospital; print the id that /v1 knows it by."""
    new = CreateConnection(name=name, mrn_system=mrn_system, environment=environment, policy=policy)
    print(operators.add_connection(bootstrap.build(Settings()), new))


@connections.command("list")
def list_connections() -> None:
    """List hospitals."""
    context = bootstrap.build(Settings())
    table = Table("name", "environment", "policy", "MRN system", "id")
    for each in context.database.read(operators.all_connections):
        table.add_row(each.name, each.environment, each.policy, each.mrn_system, str(each.id))
    Console().print(table)


@cli.command("bench-form", hidden=True)
def write_bench_form(path: Path) -> None:
    """Write the PHQ-9 as bench/run.sh reads it."""
    bench_form.write(path)


@cli.command("openapi")
def write_openapi(
    path: Path = Path("openapi.yaml"),
    *,
    check: Annotated[bool, typer.Option(help="Compare instead of writing.")] = False,
) -> None:
    """Write openapi.yaml from the application."""
    text = openapi.as_yaml(described())
    if not check:
        path.write_text(text, encoding="utf-8")
        print(f"Wrote {path}.")
    elif not path.exists() or path.read_text(encoding="utf-8") != text:
        _fail(f"{path} differs from the application: run `make openapi` and commit it")
    else:
        print(f"{path} equals the application.")


def settings_at(host: str, port: int) -> Settings:
    """Return the settings; the address to serve on is the public one where none is set."""
    settings = Settings()
    if "public_base_url" in settings.model_fields_set:
        return settings
    shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - compared only
    return settings.model_copy(update={"public_base_url": f"http://{shown}:{port}"})


if __name__ == "__main__":
    main()
