"""What a hospital may have of a person: policy, consents in force, and when that changes.

https://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from service.models.connections import ConsentPolicy
from service.models.consents import Category, Decision
from service.models.facts import Disclosure, LinkFacts


@dataclass(frozen=True, kw_only=True)
class Provision:
    """The part of a consent that decides; one person, one recipient."""

    category: Category
    decision: Decision
    start: datetime
    end: datetime | None
    covers_part2: bool
    shows_group_name: bool
    withdrawn_at: datetime | None

    def in_force(self, now: datetime) -> bool:
        begun = self.start <= now and (self.end is None or now < self.end)
        return begun and self.withdrawn_at is None


def disclosure(
    policy: ConsentPolicy,
    provisions: Sequence[Provision],
    now: datetime,
    links: tuple[LinkFacts, ...] = (),
) -> Disclosure:
    """Return what a linked hospital may have of one person now."""
    allowed = {
        part2: frozenset(
            category
            for category in Category
            if permits(policy, provisions, category, now=now, part2=part2)
        )
        for part2 in (False, True)
    }
    named = {
        part2: Category.ENROLLMENT in allowed[part2] and _names(provisions, now, part2=part2)
        for part2 in (False, True)
    }
    return Disclosure(
        categories=allowed[False],
        part2_categories=allowed[True],
        shows_group_name=named[False],
        shows_part2_group_name=named[True],
        links=links,
    )


def _names(provisions: Sequence[Provision], now: datetime, *, part2: bool) -> bool:
    """Return whether a permit of enrolment in force shows the name of such a group."""
    return any(
        p.shows_group_name and (p.covers_part2 or not part2)
        for p in provisions
        if p.category is Category.ENROLLMENT and p.decision is Decision.PERMIT and p.in_force(now)
    )


def permits(
    policy: ConsentPolicy,
    provisions: Iterable[Provision],
    category: Category,
    *,
    now: datetime,
    part2: bool,
) -> bool:
    """Return whether this category may be given: a denial wins, then a permit, then the policy.

    A permit that was withdrawn counts as a refusal until a new one is recorded, so that
    withdrawing has an effect under the `treatment` policy too.
    """
    own = [p for p in provisions if p.category is category]
    live = [p for p in own if p.in_force(now)]
    if any(p.decision is Decision.DENY for p in live):
        return False
    if any(p.covers_part2 or not part2 for p in live):
        return True
    if category is Category.ANSWERS:
        return False  # item answers are off by default, whatever the policy
    withdrawn = any(p.withdrawn_at is not None and p.decision is Decision.PERMIT for p in own)
    return policy is ConsentPolicy.TREATMENT and not part2 and not withdrawn


def next_change(provisions: Iterable[Provision], now: datetime) -> datetime | None:
    """Return the next moment at which a consent begins or ends by itself, if there is one."""
    moments = [
        moment
        for p in provisions
        if p.withdrawn_at is None
        for moment in (p.start, p.end)
        if moment is not None and moment > now
    ]
    return min(moments, default=None)
