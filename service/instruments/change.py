"""What a change between two responses means: named rules, each with its source, none merged.

A proportion and a number of points disagree for many a baseline: both are data, both are reported.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class ChangeKind(StrEnum):
    RESPONSE = "response"
    REMISSION = "remission"
    IMPORTANT = "important"  # clinically important: the MCID
    RELIABLE = "reliable"  # more than the error of measurement
    IMPROVED = "improved"  # a programme's own word for it


class Measure(StrEnum):
    """How a threshold's value is compared.

    POINTS and PROPORTION are about the improvement since the baseline (in the direction that the
    score says is better; the proportion is of the baseline); the two others about the value now.
    """

    POINTS = "points"  # improved by at least so many points
    PROPORTION = "proportion"  # improved by at least this part of the baseline, 0 to 1
    BELOW = "below"  # now less than this
    AT_MOST = "at-most"  # now this or less


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    measure: Measure
    value: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRule:
    """It is met where any of `thresholds` is; nearly all rules have one.

    `id` names the rule in outputs and is unique within the instrument. `baseline_minimum`: applies
    only from this baseline on; null is any. For POINTS of kinds IMPORTANT and RELIABLE, as many
    points in the other direction are a deterioration. `strict`: the threshold itself does not meet
    it ("more than"). `confirmed` is false where the source says it is from general knowledge and
    has to be confirmed by a clinician before anyone relies on it: show that beside the result.
    """

    id: str
    kind: ChangeKind
    score: str
    thresholds: tuple[Threshold, ...]
    source: str
    confirmed: bool
    baseline_minimum: int | None = None
    strict: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Caseness:
    """From this value on (in the worse direction) somebody counts as a case, by this source."""

    id: str
    score: str
    cutoff: int
    source: str
    confirmed: bool
