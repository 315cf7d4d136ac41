"""Which tier answers have, whether they are complete or not; pure.

What was not answered is not known: no alert, and no reassurance.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from service.instruments import Instrument
from service.safety.policy import Policy


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The most urgent rule that was met; it does not repeat the answer."""

    tier: str
    rule: str


def evaluate(policy: Policy, form: Instrument, answers: Mapping[str, int]) -> Finding | None:
    """Return what these answers ask for, or None where no rule is met."""
    met = [
        (link_id, tier)
        for link_id, minimum, tier in rules(policy, form)
        if (given := answers.get(link_id)) is not None and given >= minimum
    ]
    if not met:
        return None
    link_id, tier = max(met, key=lambda each: policy.rank(each[1]))
    return Finding(tier=tier, rule=f"{form.id} {link_id}")


def unknown(policy: Policy, form: Instrument, answers: Mapping[str, int]) -> list[str]:
    """Return the items with a safety rule that were not answered: not known, and not zero."""
    asked = dict.fromkeys(link_id for link_id, _, _ in rules(policy, form))
    return [link_id for link_id in asked if answers.get(link_id) is None]


def rules(policy: Policy, form: Instrument) -> list[tuple[str, int, str]]:
    """Return every rule as item, minimum score and tier: the policy's first, then the form's own.

    Where the policy has rules for an item, the form's own add what they do not: none is lost.
    """
    items = {item.link_id for item in form.items}
    own = [
        (each.link_id, each.minimum_score, each.tier)
        for each in policy.triggers
        if each.instrument == form.id and each.link_id in items
    ]
    lowest = {link_id: minimum for link_id, minimum, _ in sorted(own, key=lambda r: -r[1])}
    for rule in form.safety:
        if rule.minimum_score < lowest.get(rule.link_id, rule.minimum_score + 1):
            tier = policy.every_rule or getattr(rule, "tier", None) or policy.otherwise
            own.append((rule.link_id, rule.minimum_score, tier))
    return own


def may_alert(policy: Policy, form: Instrument) -> bool:
    """Tell whether answers to this form can raise an alert."""
    return bool(rules(policy, form))
