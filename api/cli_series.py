"""`alongside series`: sessions of series, planned further ahead as time passes."""

from datetime import date
from uuid import UUID

import typer
from sqlmodel import Session, col, or_, select

from api.commanding import audited
from api.context import Context
from api.upkeep import opened
from service.commands import PlanSeries
from service.errors import AlongsideError
from service.handlers import execute
from service.models.groups import GroupStatus, SupportGroup
from service.models.series import Series
from service.planning import Planned
from service.settings import Settings

series = typer.Typer(help="Series of sessions.", no_args_is_help=True)


@series.callback()
def _group() -> None:
    """Keep `plan` a command of its own, though it is the only one."""


@series.command("plan")
def plan() -> None:
    """Plan the sessions of every series up to the horizon; run it daily."""
    with opened(Settings()) as context, audited(context, None, "series/plan"):
        made, failed = 0, []
        today = context.clock().date()
        found = context.database.read(lambda session: _going_on(session, today))
        for series_id in found:
            try:
                made += _plan(context, series_id)
            except AlongsideError as error:
                failed.append(f"series {series_id}: {error}")
    print(f"{made} sessions planned in {len(found)} series.")
    if failed:
        print(*failed, sep="\n")
        raise typer.Exit(1)


def _plan(context: Context, series_id: UUID) -> int:
    """Plan one series in units of a size that others can wait for."""
    made = 0
    while True:
        command = PlanSeries(series_id=series_id, weeks=context.settings.series_weeks)
        done: Planned = execute(context.database, command)
        made += done.made
        if done.is_complete or not done.made:
            return made


def _going_on(session: Session, today: date) -> list[UUID]:
    """Return the series that may have sessions to come, whatever day it is there now."""
    ended = col(Series.ended_from)
    statement = (
        select(Series.id)
        .join(SupportGroup, col(SupportGroup.id) == col(Series.group_id))
        .where(or_(ended.is_(None), ended >= today), SupportGroup.status != GroupStatus.CLOSED)
    )
    return list(session.exec(statement.order_by(col(Series.id))))
