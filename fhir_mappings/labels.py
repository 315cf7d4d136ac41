"""Security labels by kind of content: the table of docs/privacy.md.

https://hl7.org/fhir/R4/security-labels.html
"""

from dataclasses import replace

from service.fhir.mapping import Labels
from service.instruments import Instrument
from service.models.connections import Confidentiality
from service.models.facts import GroupFacts
from service.models.groups import Sensitivity

PSYCHIATRY, SUBSTANCES, VIOLENCE = "PSY", "ETH", "SDV"
SENSITIVITY = {Sensitivity.MENTAL_HEALTH: PSYCHIATRY, Sensitivity.SUBSTANCE_USE: SUBSTANCES}

PUBLIC = Labels()
# To be a patient here at all is sensitive, in which kind of group is not said.
PERSON = Labels(Confidentiality.RESTRICTED)


def membership(group: GroupFacts) -> Labels:
    """Label what shows that somebody belongs to this group."""
    return Labels(Confidentiality.RESTRICTED, SENSITIVITY[group.sensitivity], group.part2)


def total(instrument: Instrument, *, part2: bool) -> Labels:
    return _label(instrument, instrument.sensitivity, part2=part2)


def measurement(group: GroupFacts, instrument: Instrument) -> Labels:
    """Label what shows that a member of this group is asked that: by both, and by the higher."""
    whose, asked = membership(group), total(instrument, part2=group.part2)
    highest = max(whose.confidentiality, asked.confidentiality, key=lambda one: one.rank)
    found = {whose.sensitivity or "", asked.sensitivity or ""} - {""}
    return Labels(highest, " ".join(sorted(found)), whose.part2 or asked.part2)


def alert(*, part2: bool) -> Labels:
    return Labels(Confidentiality.VERY_RESTRICTED, PSYCHIATRY, part2)


def answers(instrument: Instrument, *, part2: bool) -> Labels:
    """Label a whole response by everything that its form asks."""
    each = [answer(instrument, item.link_id, part2=part2) for item in instrument.items]
    highest = max((one.confidentiality for one in each), key=lambda one: one.rank)
    found = {instrument.sensitivity, *(one.sensitivity or "" for one in each)}
    return Labels(highest, " ".join(sorted(found)), each[0].part2)


def answer(instrument: Instrument, link_id: str, *, part2: bool) -> Labels:
    item = instrument.item(link_id)
    sensitivity = (item and item.sensitivity) or instrument.sensitivity
    found = _label(instrument, sensitivity, part2=part2)
    about_safety = any(rule.link_id == link_id for rule in instrument.safety)
    if about_safety or sensitivity == VIOLENCE:
        return replace(found, confidentiality=Confidentiality.VERY_RESTRICTED)
    return found


def _label(instrument: Instrument, sensitivity: str, *, part2: bool) -> Labels:
    """Label by the instrument; one about substance use carries the notice in whatever group."""
    confidentiality = Confidentiality(instrument.confidentiality)
    return Labels(confidentiality, sensitivity, part2 or instrument.sensitivity == SUBSTANCES)
