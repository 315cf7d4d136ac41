"""What is an alert, how urgent it is and who is told: data, one preset or the operator's own file.

Nothing here is from a regulation: a clinician of the programme signs it off (ADR 0042).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from sqlmodel import Session

from service.errors import InvalidError
from service.models.safety import ContactRole

POLICY = "safety_policy"  # in a session's info
STRICT = "cobalt-strict"
PRIORITIES = ("routine", "urgent", "asap", "stat")  # of FHIR's request-priority

Priority = Literal["routine", "urgent", "asap", "stat"]


@dataclass(frozen=True, kw_only=True)
class Tier:
    """How urgent an alert is; `peer` is what a peer is told to do, in place of the answer."""

    code: str
    display: str
    priority: Priority
    acknowledge: timedelta
    close: timedelta | None
    route: tuple[ContactRole, ...]
    staff: str
    peer: str


@dataclass(frozen=True, kw_only=True)
class Trigger:
    instrument: str
    link_id: str
    minimum_score: int
    tier: str
    source: str = field(compare=False)


@dataclass(frozen=True, kw_only=True)
class StepUp:
    """Which tiers ask the referring clinic to take the person back, and what it is told."""

    tiers: frozenset[str]
    reason: str


@dataclass(frozen=True, kw_only=True)
class Policy:
    """`tiers` are in order, the most urgent first; `every_rule` is the tier of every safety rule.

    `otherwise` is that of a rule of an instrument for which neither says anything. `attempts` is
    how often one contact is tried before the next is told.
    """

    id: str
    version: str
    name: str
    note: str
    tiers: tuple[Tier, ...]
    triggers: tuple[Trigger, ...]
    every_rule: str | None
    otherwise: str
    reports: Mapping[str, str]
    changes: Mapping[str, str]
    attempts: int
    step_up: StepUp
    dispositions: Mapping[str, str]

    def tier(self, code: str) -> Tier:
        """Return a tier; one that this policy does not know counts as the most urgent."""
        return next((each for each in self.tiers if each.code == code), self.tiers[0])

    def rank(self, code: str) -> int:
        """Return how urgent a tier is, the most urgent highest."""
        return len(self.tiers) - self.tiers.index(self.tier(code))

    def most_urgent(self, codes: Sequence[str]) -> str:
        return max(codes, key=self.rank)


def parse(data: Mapping[str, Any]) -> Policy:
    """Return the policy of a file.

    Raises:
        InvalidError: something is missing, unknown or contradicts itself.
    """
    try:
        policy = _parsed(data)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidError(f"the safety policy is not complete: {error!r}") from error
    if found := problems(policy):
        raise InvalidError(f"the safety policy is wrong: {'; '.join(found)}")
    return policy


def _parsed(data: Mapping[str, Any]) -> Policy:
    rest = dict(data)
    step_up = rest.pop("step_up")
    dispositions = rest.pop("dispositions")
    return Policy(
        tiers=tuple(_tier(row) for row in rest.pop("tiers")),
        triggers=tuple(Trigger(**row) for row in rest.pop("triggers")),
        step_up=StepUp(tiers=frozenset(step_up["tiers"]), reason=step_up["reason"]),
        dispositions={row["code"]: row["display"] for row in dispositions},
        **rest,
    )


def _tier(row: Mapping[str, Any]) -> Tier:
    rest = dict(row)
    close = rest.pop("close_minutes")
    return Tier(
        acknowledge=timedelta(minutes=rest.pop("acknowledge_minutes")),
        close=None if close is None else timedelta(minutes=close),
        route=tuple(ContactRole(each) for each in rest.pop("route")),
        **rest,
    )


def problems(policy: Policy) -> list[str]:
    """Return what contradicts itself."""
    codes = {each.code for each in policy.tiers}
    named = {each.tier for each in policy.triggers} | {policy.otherwise, *policy.step_up.tiers}
    named |= {*policy.reports.values(), *policy.changes.values()}
    named |= {policy.every_rule} if policy.every_rule else set()
    found = [f"{each} is no tier" for each in sorted(named - codes)]
    if len(codes) != len(policy.tiers) or not codes:
        found.append("each tier is there once")
    for tier in policy.tiers:
        if tier.priority not in PRIORITIES:
            found.append(f"{tier.code}: the priority is one of {', '.join(PRIORITIES)}")
        if tier.acknowledge <= timedelta(0) or not tier.route:
            found.append(f"{tier.code}: needs minutes to acknowledge, and a route")
    if policy.attempts < 1 or not policy.dispositions:
        found.append("needs attempts of at least 1, and dispositions")
    return found


@cache
def preset(name: str) -> Policy:
    """Return one of the policies that come with the service, by name."""
    file = files(__package__) / "presets" / f"{name}.json"
    return parse(json.loads(file.read_text(encoding="utf-8")))


def load(name: str, file: Path | None = None) -> Policy:
    """Return the operator's own policy where there is a file, else the preset.

    Raises:
        InvalidError: it cannot be read, or is wrong.
    """
    if file is None:
        return preset(name)
    try:
        return parse(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise InvalidError(f"the safety policy {file} cannot be read") from error


def policy_of(session: Session) -> Policy:
    """Return what the operator decided: the database opens each session with it."""
    found: Policy = session.info.get(POLICY) or preset(STRICT)
    return found
