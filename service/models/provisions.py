"""Provisions of a consent, as FHIR R4 nests them: a rule, and the exceptions to it.

https://hl7.org/fhir/R4/consent-definitions.html#Consent.provision
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from service.models.purposes import Purpose


class Category(StrEnum):
    """The kinds of fact that a person decides about separately."""

    ENROLLMENT = "enrollment"
    ATTENDANCE = "attendance"
    SCORES = "scores"
    ANSWERS = "answers"
    ALERTS = "alerts"
    SUMMARY = "summary"


class Decision(StrEnum):
    PERMIT = "permit"
    DENY = "deny"


class Label(StrEnum):
    """Security labels that content has here, by which a provision may limit itself."""

    NORMAL = "N"
    RESTRICTED = "R"
    VERY_RESTRICTED = "V"
    PSYCHIATRY = "PSY"
    SUBSTANCE_USE = "ETH"
    VIOLENCE = "SDV"
    PART_2 = "42CFRPart2"


CONFIDENTIALITY = (Label.NORMAL, Label.RESTRICTED, Label.VERY_RESTRICTED)


@dataclass(frozen=True, kw_only=True)
class Provision:
    """One rule. What it does not say is as its parent's; a root that says nothing means all.

    `covers_part2` lets a permit reach what 42 CFR Part 2 protects; the label limits it to that.
    """

    decision: Decision
    start: datetime | None = None
    end: datetime | None = None
    categories: frozenset[Category] = frozenset()
    purposes: frozenset[Purpose] = frozenset()
    labels: frozenset[Label] = frozenset()
    covers_part2: bool | None = None
    shows_group_name: bool | None = None
    provisions: tuple["Provision", ...] = ()

    def within(self, parent: "Provision | None" = None) -> "Provision":
        """Return it with all that it takes over from its parent, and so its exceptions."""
        full = self if parent is None else replace(self, **_inherited(self, parent))
        return replace(full, provisions=tuple(each.within(full) for each in full.provisions))

    def each(self, path: str = "provision") -> Iterator[tuple[str, "Provision"]]:
        """Yield every rule with its FHIRPath, the root first."""
        yield path, self
        for place, nested in enumerate(self.provisions):
            yield from nested.each(f"{path}.provision[{place}]")


INHERITED = ("categories", "purposes", "labels")
OPTIONAL = ("covers_part2", "shows_group_name")


def _inherited(own: Provision, parent: Provision) -> dict[str, Any]:
    found = {name: getattr(own, name) or getattr(parent, name) for name in INHERITED}
    for name in OPTIONAL:
        said = getattr(own, name)
        found[name] = getattr(parent, name) if said is None else said
    return found


ROOT = ("decision", "start", "end", *INHERITED, *OPTIONAL, "provisions")


def provision_of(values: Mapping[str, Any]) -> Provision:
    """Return the root of a consent from its columns, or a nested provision from its JSON."""
    return Provision(
        decision=Decision(values["decision"]),
        start=_moment(values.get("start")),
        end=_moment(values.get("end")),
        categories=frozenset(map(Category, values.get("categories") or ())),
        purposes=frozenset(map(Purpose, values.get("purposes") or ())),
        labels=frozenset(map(Label, values.get("labels") or ())),
        covers_part2=values.get("covers_part2"),
        shows_group_name=values.get("shows_group_name"),
        provisions=tuple(map(provision_of, values.get("provisions") or ())),
    )


def as_columns(provision: Provision) -> dict[str, Any]:
    """Return the columns of a consent that say this root."""
    return {
        "decision": provision.decision,
        "start": provision.start,
        "end": provision.end,
        **{name: _ordered(getattr(provision, name)) for name in INHERITED},
        "covers_part2": bool(provision.covers_part2),
        "shows_group_name": bool(provision.shows_group_name),
        "provisions": [as_json(each) for each in provision.provisions],
    }


def as_json(provision: Provision) -> dict[str, Any]:
    """Return what is kept of a nested provision: what it says, and nothing else."""
    found: dict[str, Any] = {"decision": provision.decision.value}
    found |= {name: at.isoformat() for name in ("start", "end") if (at := getattr(provision, name))}
    found |= {name: listed for name in INHERITED if (listed := _ordered(getattr(provision, name)))}
    found |= {name: said for name in OPTIONAL if (said := getattr(provision, name)) is not None}
    if provision.provisions:
        found["provisions"] = [as_json(each) for each in provision.provisions]
    return found


def _ordered(said: Iterable[StrEnum]) -> list[str]:
    """Return the codes in the order in which they are defined."""
    return [one.value for kind in {type(each) for each in said} for one in kind if one in said]


def _moment(said: datetime | str | None) -> datetime | None:
    return datetime.fromisoformat(said) if isinstance(said, str) else said
