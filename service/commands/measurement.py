"""How often a group measures: a part of what can be asked of groups."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class MeasurementPlan:
    """When one questionnaire is due for each member.

    The rhythm counts from when the person joined: weeks, or sessions that were held while they
    were a member. The last measurement is due after so many weeks or sessions; without either
    the rhythm goes on. `overdue_days`: from when on what is due and not answered is overdue.
    """

    instrument: str
    baseline: bool = True
    every_weeks: int | None = None
    every_sessions: int | None = None
    end_after_weeks: int | None = None
    end_after_sessions: int | None = None
    overdue_days: int = 7

    @property
    def counts_sessions(self) -> bool:
        return bool(self.every_sessions or self.end_after_sessions)

    @property
    def stored(self) -> dict[str, Any]:
        """Return it as its column holds it."""
        return asdict(self)
