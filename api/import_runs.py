"""An import at a shell: its progress, its audit rows, and what is said of it in the end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from api.commanding import act_of, ended, entry_of
from api.context import Context
from api.upkeep import opened
from service import migrations
from service.acting import acting
from service.clock import microseconds
from service.errors import AlongsideError, BusyError, InvalidError, NotFoundError
from service.handlers import settle_waitlists
from service.imports.report import Report, Tally, reporting
from service.imports.rows import Outcome, Source
from service.imports.running import Import, Mode
from service.settings import Settings

LEFT_OUT = 3


@dataclass(frozen=True)
class Asked:
    """What an operator asked for."""

    kind: str
    file: Path
    mode: Mode
    report: Path | None
    connection: str | None = None


def carry_out(asked: Asked, source: Callable[[Context], Source]) -> None:
    """Run the import, say what became of it, and end with its exit code."""
    settings = Settings()
    _check(asked, settings)
    with opened(settings) as context:
        found = source(context)
        with reporting(asked.report) as report:
            _run(context, asked, found, report)
    _tell(asked, report.total)
    if report.total.rejected:
        raise typer.Exit(LEFT_OUT if asked.mode is Mode.PARTIAL else 1)


def _check(asked: Asked, settings: Settings) -> None:
    if not asked.file.is_file():
        raise NotFoundError(f"{asked.file} is not a file")
    report = asked.report
    if report is not None and report.exists() and report.samefile(asked.file):
        raise InvalidError("--report must not be the file that is imported")
    if migrations.current(settings.database_url) != migrations.newest():
        raise InvalidError("the database is at another revision: run `alongside migrate`")


def _run(context: Context, asked: Asked, source: Source, report: Report) -> None:
    try:
        with _audited(context, asked, report) as by, _bar(asked) as progress:
            Import(context.database, source, by, report, progress).run(asked.mode)
            if asked.mode is not Mode.DRY_RUN:
                settle_waitlists(context.database)  # now that all of the file is recorded
    except BusyError:
        _tell(asked, report.total)
        raise


@contextmanager
def _audited(context: Context, asked: Asked, report: Report) -> Iterator[str]:
    """Write a row before the first change, since one that is killed may have kept some, and a last.

    Yield who is said to have done it.
    """
    begun = entry_of(context.clock, f"import/{asked.kind}", client=asked.connection)
    context.audit.write_now(begun._replace(status=202, query=f"mode={asked.mode}&begun"))
    act = entry_of(context.clock, begun.path, client=asked.connection)
    status = 500
    try:
        with acting(lambda: act_of(act)):
            yield f"import, {begun.address}"
        status = 422 if report.total.rejected and asked.mode is not Mode.PARTIAL else 200
    except AlongsideError as error:
        status = 503 if isinstance(error, BusyError) else 422
        raise
    finally:
        query = f"mode={asked.mode}&{_counted(report.total)}"
        at = microseconds(context.clock())
        context.audit.write_now(ended(act)._replace(at=at, status=status, query=query))


def _counted(total: Tally) -> str:
    counts = {each.name.lower(): total.outcomes[each] for each in Outcome}
    counts |= {"rejected": total.rejected, "alerts": total.alerts}
    return "&".join(f"{name}={count}" for name, count in counts.items())


@contextmanager
def _bar(asked: Asked) -> Iterator[Callable[[int], None]]:
    columns = (TextColumn(f"Importing {asked.kind}"), BarColumn(), TaskProgressColumn())
    with Progress(
        *columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True
    ) as bar:
        task = bar.add_task("import", total=asked.file.stat().st_size)
        yield lambda read: bar.update(task, completed=read)


def _tell(asked: Asked, total: Tally) -> None:
    for each in total.rejections:
        where = f"row {each.row}, {each.column}" if each.column else f"row {each.row}"
        print(f"{where}: {each.rule}")
    print(*_sentences(asked, total), sep="\n")


def _sentences(asked: Asked, total: Tally) -> Iterator[str]:
    counts = ", ".join(f"{total.outcomes[each]} {each.value}" for each in Outcome)
    if total.rejected:
        where = f"; {asked.report} has every reason" if asked.report else ""
        yield f"{total.rejected} rows were rejected{where or '; --report FILE.csv lists them all'}."
    if total.ignored:
        names = ", ".join(f"{name} {count}" for name, count in sorted(total.ignored.items()))
        yield f"{total.ignored.total()} left out: {names}."
    if asked.mode is Mode.DRY_RUN:
        yield f"A dry run: nothing was kept. It would have been: {counts}."
    elif total.rejected and asked.mode is Mode.WHOLE:
        yield "Nothing was imported."
        return
    else:
        yield f"{counts}."
    if total.alerts:
        said = "would raise" if asked.mode is Mode.DRY_RUN else "raised"
        yield f"{total.alerts} responses {said} a safety alert: GET /v1/alerts has what is open."
