"""What a hospital may have of a person: policy, consents in force, and when that changes.

One decision, for all purposes at once: sets of purposes are numbers (`service.models.purposes`).
https://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
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
from service.models.purposes import TREATMENT_ONLY
from service.weighing import Content, gives, union, weigh


@dataclass(frozen=True, kw_only=True)
class Declared:
    """A consent as it counts: `waits` tells that its permits are not confirmed.

    What is withdrawn is so whatever the clock says: another machine's may be behind.
    """

    provision: Provision
    id: UUID | None = None
    withdrawn: bool = False
    waits: bool = False
    retracted: Mapping[str, int] = field(default_factory=dict)


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
        if each.withdrawn:
            withdrawn |= gives(each.provision, content.category)
            continue
        found = weigh(each.provision, content, now, waits=each.waits)
        permitted |= found.permitted
        denied |= found.denied
    permitted &= ~denied
    by_policy = _by_policy(policy, content) & ~(permitted | denied | withdrawn)
    return Ruling(permitted, denied, withdrawn, by_policy)


def _by_policy(policy: ConsentPolicy, content: Content) -> int:
    """Return what the policy gives where nobody said anything: never answers, nor a name."""
    if policy is not ConsentPolicy.TREATMENT or content.part2 or content.names_group:
        return 0
    return 0 if content.category is Category.ANSWERS else TREATMENT_ONLY


def declared(values: Mapping[str, Any]) -> Declared:
    """Return a consent as it counts from the columns of its row."""
    return Declared(
        id=values["id"],
        provision=provision_of(values).within(),
        withdrawn=values["withdrawn_at"] is not None,
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
        return union(self.purposes(one) for one in self._contents())

    def _contents(self) -> Iterable[Content]:
        rules = (rule for each in self.consents for _, rule in each.provision.each())
        labelled = LABELS if any(rule.labels for rule in rules) else ((None, None),)
        for category, part2, (level, kind) in product(Category, (False, True), labelled):
            yield Content(category, part2, level, kind)


LABELS = tuple(
    product(CONFIDENTIALITY, (Label.PSYCHIATRY, Label.SUBSTANCE_USE, Label.VIOLENCE, None))
)


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
        if not each.withdrawn
        for moment in moments(each.provision)
        if moment > now
    )
    return min(coming, default=None)


def moments(rule: Provision) -> list[datetime]:
    """Return every moment at which something of it begins or ends."""
    return [at for _, each in rule.each() for at in (each.start, each.end) if at is not None]
