"""For what health information is used: the context in which somebody reads.

The codes are those that stand directly below PurposeOfUse in v3-ActReason.
https://terminology.hl7.org/CodeSystem-v3-ActReason.html
"""

from collections.abc import Iterable
from enum import StrEnum


class Purpose(StrEnum):
    TREATMENT = "TREAT"
    PAYMENT = "HPAYMT"
    OPERATIONS = "HOPERAT"
    RESEARCH = "HRESCH"
    PUBLIC_HEALTH = "PUBHLTH"
    PATIENT_REQUEST = "PATRQT"
    MARKETING = "HMARKT"

    @property
    def bit(self) -> int:
        """Return the one bit that stands for it in a set of purposes."""
        return BITS[self]


BITS = {purpose: 1 << place for place, purpose in enumerate(Purpose)}
EVERY_PURPOSE = 2**31 - 1  # those that are not named yet, too
TREATMENT_ONLY = Purpose.TREATMENT.bit


def named(bit: int) -> str | None:
    """Return the code of one purpose, None where the number is a set of several."""
    return next((one.value for one, own in BITS.items() if own == bit), None)


def bits(purposes: Iterable[Purpose]) -> int:
    """Return the set as a number; none said stands for every purpose."""
    return sum(BITS[one] for one in set(purposes)) or EVERY_PURPOSE
