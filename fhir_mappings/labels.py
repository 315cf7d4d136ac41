"""Security labels by kind of content.

https://hl7.org/fhir/R4/security-labels.html
"""

from service.fhir.mapping import Labels
from service.instruments import Instrument
from service.models.connections import Confidentiality
from service.models.facts import GroupFacts
from service.models.groups import Sensitivity

PSYCHIATRY = "PSY"
SENSITIVITY = {Sensitivity.MENTAL_HEALTH: PSYCHIATRY, Sensitivity.SUBSTANCE_USE: "ETH"}

PUBLIC = Labels()
# To be a patient here at all is sensitive, in which kind of group is not said.
PERSON = Labels(Confidentiality.RESTRICTED)


def membership(group: GroupFacts) -> Labels:
    """Label what shows that somebody belongs to this group."""
    return Labels(Confidentiality.RESTRICTED, SENSITIVITY[group.sensitivity], group.part2)


def total(*, part2: bool) -> Labels:
    return Labels(Confidentiality.RESTRICTED, PSYCHIATRY, part2)


def alert(*, part2: bool) -> Labels:
    return Labels(Confidentiality.VERY_RESTRICTED, PSYCHIATRY, part2)


def answers(instrument: Instrument, *, part2: bool) -> Labels:
    """Label a whole response by the most sensitive item its form has."""
    return alert(part2=part2) if instrument.safety else total(part2=part2)


def answer(instrument: Instrument, link_id: str, *, part2: bool) -> Labels:
    asked_about_safety = any(rule.link_id == link_id for rule in instrument.safety)
    return alert(part2=part2) if asked_about_safety else total(part2=part2)
