"""What a hospital may have of a person: policy, consents in force, and when that changes.

One decision, for all purposes at once: sets of purposes are numbers (`service.models.purposes`).
https://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from itertools import product
from typing import Any, NamedTuple
from uuid import UUID

from service.models.connections import ConsentPolicy
from service.models.facts import LinkFacts
from service.models.provisions import (
    CONFIDENTIALITY,
    Category,
    Decision,
    Label,
    Provision,
    provision_of,
)
from service.models.purposes import TREATMENT_ONLY, bits


class Content(NamedTuple):
    """What is asked for: a kind of fact, its labels, and whether it tells which group it is.

    What has no labels said is not within a permit that is limited by them, and within a denial.
    """

    category: Category
    part2: bool = False
    confidentiality: str | None = None
    sensitivity: str | None = None
    names_group: bool = False


@dataclass(frozen=True, kw_only=True)
class Declared:
    """A consent as it counts: `waits` tells that its permits are not confirmed."""

    provision: Provision
    id: UUID | None = None
    withdrawn_at: datetime | None = None
    waits: bool = False
    retracted: Mapping[str, int] = field(default_factory=dict)

    def counts(self, now: datetime) -> bool:
        return self.withdrawn_at is None or self.withdrawn_at > now


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


class Ruling(NamedTuple):
    """For which purposes something is given, and what speaks for and against it."""

    permitted: int
    denied: int
    withdrawn: int
    by_policy: int

    @property
    def given(self) -> int:
        return self.permitted | self.by_policy


def decide(
    policy: ConsentPolicy, consents: Iterable[Declared], content: Content, now: datetime
) -> Ruling:
    """Decide: a denial wins, then a permit, then a permit that was withdrawn, then the policy.

    A permit that was withdrawn counts as a refusal until a new one is recorded, so that
    withdrawing has an effect under the `treatment` policy too.
    """
    permitted = denied = withdrawn = 0
    for each in consents:
        withdrawn |= each.retracted.get(content.category.value, 0)
        if each.counts(now):
            found = weigh(each.provision, content, now, waits=each.waits)
            permitted |= found.permitted
            denied |= found.denied
        else:
            withdrawn |= gives(each.provision, content.category)
    permitted &= ~denied
    by_policy = _by_policy(policy, content) & ~(permitted | denied | withdrawn)
    return Ruling(permitted, denied, withdrawn, by_policy)


def _by_policy(policy: ConsentPolicy, content: Content) -> int:
    """Return what the policy gives where nobody said anything: never answers, nor a name."""
    if policy is not ConsentPolicy.TREATMENT or content.part2 or content.names_group:
        return 0
    return 0 if content.category is Category.ANSWERS else TREATMENT_ONLY


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
    return not kinds or content.sensitivity in kinds


def _is_denied_by_label(labels: frozenset[Label], content: Content) -> bool:
    """Tell whether any label that a denial names fits: confidentiality from it on."""
    if not labels or (Label.PART_2 in labels and content.part2):
        return True
    levels = [one for one in CONFIDENTIALITY if one in labels]
    from_there = CONFIDENTIALITY[_rank(levels[0]) :] if levels else ()
    if levels and (content.confidentiality is None or content.confidentiality in from_there):
        return True
    kinds = labels - {*CONFIDENTIALITY, Label.PART_2}
    return bool(kinds) and (content.sensitivity is None or content.sensitivity in kinds)


def _rank(label: Label) -> int:
    return CONFIDENTIALITY.index(label)


def gives(rule: Provision, category: Category) -> int:
    """Return for which purposes some permit of it is about this category, whatever else it says."""
    return _union(
        bits(each.purposes)
        for _, each in rule.each()
        if each.decision is Decision.PERMIT and (not each.categories or category in each.categories)
    )


def given_by(rule: Provision) -> dict[str, int]:
    """Return the same for every category of which it permits something."""
    return {one.value: purposes for one in Category if (purposes := gives(rule, one))}


def declared(values: Mapping[str, Any]) -> Declared:
    """Return a consent as it counts from the columns of its row."""
    return Declared(
        id=values["id"],
        provision=provision_of(values).within(),
        withdrawn_at=values["withdrawn_at"],
        waits=values["standing"] != "confirmed",
        retracted=values["retracted"],
    )


@dataclass(frozen=True, kw_only=True)
class Disclosure:
    """What one audience may have of one patient at one moment."""

    policy: ConsentPolicy
    consents: tuple[Declared, ...]
    now: datetime
    links: tuple[LinkFacts, ...] = ()
    _known: dict[Content, int] = field(default_factory=dict, init=False, compare=False, repr=False)

    def purposes(self, content: Content) -> int:
        """Return for which purposes it may have this; 0 where for none."""
        known = self._known.get(content)
        if known is None:
            given = decide(self.policy, self.consents, content, self.now).given
            known = self._known[content] = given
        return known

    def anything(self) -> int:
        """Return for which purposes it may have anything at all."""
        return _union(self.purposes(one) for one in self._contents())

    def _contents(self) -> Iterable[Content]:
        rules = (rule for each in self.consents for _, rule in each.provision.each())
        labelled = LABELS if any(rule.labels for rule in rules) else ((None, None),)
        for category, part2, (level, kind) in product(Category, (False, True), labelled):
            yield Content(category, part2, level, kind)


LABELS = tuple(
    product(CONFIDENTIALITY, (Label.PSYCHIATRY, Label.SUBSTANCE_USE, Label.VIOLENCE, None))
)


def _union(sets: Iterable[int]) -> int:
    found = 0
    for each in sets:
        found |= each
    return found


PERMIT_ALL = Provision(decision=Decision.PERMIT, covers_part2=True, shows_group_name=True)
# The programme's own: what a permit of everything gives, by the same decision.
UNLIMITED = Disclosure(
    policy=ConsentPolicy.OPT_IN,
    consents=(Declared(provision=PERMIT_ALL),),
    now=datetime.min.replace(tzinfo=UTC),
)


def next_change(consents: Sequence[Declared], now: datetime) -> datetime | None:
    """Return the next moment at which a consent begins or ends by itself, if there is one."""
    coming = (
        moment
        for each in consents
        if each.counts(now)
        for moment in moments(each.provision)
        if moment > now
    )
    return min(coming, default=None)


def moments(rule: Provision) -> list[datetime]:
    """Return every moment at which something of it begins or ends."""
    return [at for _, each in rule.each() for at in (each.start, each.end) if at is not None]
