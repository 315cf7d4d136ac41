"""One consent weighed: its exceptions before its rules, and what each says of some content.

Sets of purposes are numbers (`service.models.purposes`), so all are weighed at once.
https://hl7.org/fhir/R4/consent-definitions.html#Consent.provision
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from service.models.provisions import CONFIDENTIALITY, Category, Decision, Label, Provision
from service.models.purposes import bits


class Content(NamedTuple):
    """What is asked for: a kind of fact, its labels, and whether it tells which group it is.

    What has no labels said is not within a permit that is limited by them, and within a denial.
    """

    category: Category
    part2: bool = False
    confidentiality: str | None = None
    sensitivity: str | None = None
    names_group: bool = False

    @property
    def kinds(self) -> frozenset[str]:
        """Return the codes of what it is sensitive for: a form may ask about several things."""
        return frozenset((self.sensitivity or "").split())


class Reason(StrEnum):
    """Why a provision does not decide about something."""

    WITHDRAWN = "withdrawn"
    NOT_BEGUN = "not-begun"
    ENDED = "ended"
    WAITS = "waits-for-confirmation"
    CATEGORY = "other-category"
    PURPOSE = "other-purpose"
    LABEL = "other-label"
    PART_2 = "does-not-cover-part2"
    NAME = "does-not-show-group-name"
    EXCEPTED = "excepted"
    OUTWEIGHED = "outweighed"


@dataclass(frozen=True)
class Finding:
    """What one provision says: for which purposes it decides itself, or why for none."""

    path: str
    provision: Provision
    own: int = 0
    reason: Reason | None = None


class Weight(NamedTuple):
    """For which purposes something is permitted and denied; never both."""

    permitted: int = 0
    denied: int = 0


def weigh(
    rule: Provision,
    content: Content,
    now: datetime,
    *,
    waits: bool = False,
    findings: list[Finding] | None = None,
    path: str = "provision",
) -> Weight:
    """Return what a rule says: its exceptions first, and of those a denial before a permit."""
    if (late := _out_of_time(rule, now)) is not None:
        _note(findings, Finding(path, rule, reason=late))
        return Weight()
    permitted = denied = 0
    for place, nested in enumerate(rule.provisions):
        below = f"{path}.provision[{place}]"
        found = weigh(nested, content, now, waits=waits, findings=findings, path=below)
        permitted |= found.permitted
        denied |= found.denied
    permitted &= ~denied
    reason = _missed(rule, content)
    rest = 0 if reason else bits(rule.purposes) & ~(permitted | denied)
    if rule.decision is Decision.PERMIT and waits:
        reason, rest = reason or Reason.WAITS, 0
    _note(findings, Finding(path, rule, rest, reason))
    if rule.decision is Decision.DENY:
        return Weight(permitted, denied | rest)
    return Weight(permitted | rest, denied)


def _note(findings: list[Finding] | None, finding: Finding) -> None:
    if findings is not None:
        findings.append(finding)


def _out_of_time(rule: Provision, now: datetime) -> Reason | None:
    if rule.start is not None and now < rule.start:
        return Reason.NOT_BEGUN
    return Reason.ENDED if rule.end is not None and now >= rule.end else None


def _missed(rule: Provision, content: Content) -> Reason | None:
    """Return by what the rule is not about this content; its purposes are looked at apart."""
    if rule.categories and content.category not in rule.categories:
        return Reason.CATEGORY
    if rule.decision is Decision.DENY:
        return None if _is_denied_by_label(rule.labels, content) else Reason.LABEL
    if content.part2 and not (rule.covers_part2 or Label.PART_2 in rule.labels):
        return Reason.PART_2
    if not _is_permitted_by_label(rule.labels, content):
        return Reason.LABEL
    return Reason.NAME if content.names_group and not rule.shows_group_name else None


def _is_permitted_by_label(labels: frozenset[Label], content: Content) -> bool:
    """Tell whether every kind of label that a permit names fits: confidentiality up to it."""
    if not labels:
        return True
    if Label.PART_2 in labels and not content.part2:
        return False
    levels = [one for one in CONFIDENTIALITY if one in labels]
    if levels and content.confidentiality not in CONFIDENTIALITY[: _rank(levels[-1]) + 1]:
        return False
    kinds = labels - {*CONFIDENTIALITY, Label.PART_2}
    return not kinds or (bool(content.kinds) and content.kinds <= kinds)


def _is_denied_by_label(labels: frozenset[Label], content: Content) -> bool:
    """Tell whether any label that a denial names fits: confidentiality from it on."""
    if not labels or (Label.PART_2 in labels and content.part2):
        return True
    levels = [one for one in CONFIDENTIALITY if one in labels]
    from_there = CONFIDENTIALITY[_rank(levels[0]) :] if levels else ()
    if levels and (content.confidentiality is None or content.confidentiality in from_there):
        return True
    kinds = labels - {*CONFIDENTIALITY, Label.PART_2}
    return bool(kinds) and (content.sensitivity is None or not content.kinds.isdisjoint(kinds))


def _rank(label: Label) -> int:
    return CONFIDENTIALITY.index(label)


def gives(rule: Provision, category: Category) -> int:
    """Return for which purposes some permit of it is about this category, whatever else it says."""
    return union(
        bits(each.purposes)
        for _, each in rule.each()
        if each.decision is Decision.PERMIT and (not each.categories or category in each.categories)
    )


def given_by(rule: Provision) -> dict[str, int]:
    """Return the same for every category of which it permits something."""
    return {one.value: purposes for one in Category if (purposes := gives(rule, one))}


def union(sets: Iterable[int]) -> int:
    found = 0
    for each in sets:
        found |= each
    return found
