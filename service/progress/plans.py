"""How often a group measures: which questionnaire at the beginning, by which rhythm, until when.

A group's plans are one column of it, as JSON; a plan is checked when it is set.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from service.commands import MeasurementPlan
from service.errors import BusinessRuleError, InvalidError

MOST_WEEKS = 52
MOST_SESSIONS = 52
LONGEST = 260  # weeks or sessions
MOST_OVERDUE_DAYS = 90
ELEMENT = "measurement"


def plans_of(stored: Iterable[Mapping[str, Any]]) -> tuple[MeasurementPlan, ...]:
    return tuple(MeasurementPlan(**each) for each in stored)


def check_plans(plans: Iterable[MeasurementPlan], instruments: Iterable[str]) -> None:
    """Raise InvalidError or BusinessRuleError where a plan cannot be followed."""
    used, seen = set(instruments), set[str]()
    for plan in plans:
        if plan.instrument not in used:
            raise BusinessRuleError("the group does not use this questionnaire", element=ELEMENT)
        if plan.instrument in seen:
            raise BusinessRuleError("a questionnaire has one plan", element=ELEMENT)
        seen.add(plan.instrument)
        _check(plan)


def _check(plan: MeasurementPlan) -> None:
    if plan.every_weeks and plan.every_sessions:
        raise InvalidError("the rhythm is of weeks or of sessions, not both", element=ELEMENT)
    if plan.end_after_weeks and plan.end_after_sessions:
        raise InvalidError("the end is after weeks or after sessions, not both", element=ELEMENT)
    for name, most in (
        ("every_weeks", MOST_WEEKS),
        ("every_sessions", MOST_SESSIONS),
        ("end_after_weeks", LONGEST),
        ("end_after_sessions", LONGEST),
        ("overdue_days", MOST_OVERDUE_DAYS),
    ):
        value = getattr(plan, name)
        if value is not None and not 1 <= value <= most:
            raise InvalidError(f"{name} must be 1 to {most}", element=ELEMENT)
    if not (plan.baseline or _repeats(plan) or plan.end_after_weeks or plan.end_after_sessions):
        raise InvalidError("must measure at some time", element=ELEMENT)


def _repeats(plan: MeasurementPlan) -> bool:
    return bool(plan.every_weeks or plan.every_sessions)
