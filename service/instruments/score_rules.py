"""How scores are made of answers: sums, counts, conversions by a table, decision trees.

https://hl7.org/fhir/uv/sdc/
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from service.instruments.items import Condition

Number = int | Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Values from `minimum` to `maximum`, both included, and what they are called.

    `sex` (male or female, FHIR's codes) says for whom a cut-off differs; null is for everybody,
    and for a person whose sex is not known.
    """

    minimum: Number
    maximum: Number
    label: str
    loinc_answer: str | None = None
    sex: str | None = None

    def __contains__(self, total: Number) -> bool:
        return self.minimum <= total <= self.maximum


class MissingKind(StrEnum):
    NONE = "none"  # no score unless everything is answered
    PRORATE = "prorate"  # the mean of what was answered stands in, rounded half up to a whole
    MINIMUM = "minimum"  # what was answered is counted, where it is enough
    DECIDED = "decided"  # of a decision tree: whatever else were answered, it would come out so


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingRule:
    """What becomes of a score whose items are not all answered."""

    kind: MissingKind
    source: str
    minimum_answered: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """One outcome of a decision tree: it holds where all conditions of any of `when` hold.

    The first that holds is the outcome; its rank is the value of the score, 0 the lightest.
    """

    rank: int
    label: str
    code: str | None
    when: tuple[tuple[Condition, ...], ...]


class ScoreKind(StrEnum):
    SUM = "sum"  # of what the items count, times `factor`
    COUNT = "count"  # of items that count `at_least` so much
    TABLE = "table"  # the score `of`, converted by `table`
    CATEGORY = "category"  # a decision tree


class Direction(StrEnum):
    WORSE = "worse"
    BETTER = "better"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRule:
    """How one score is made of answers. `code` is LOINC's for the score, never a panel's.

    `display` is what it is called here; `loinc_display` LOINC's own words, where they were read.

    `direction`: whether a higher value is worse or better; null where no source says.
    `reported`: false for a step of another score, which is neither stored nor shown.
    `bands` without a sex cover every value that can be reached, once; there may be none.
    """

    id: str
    code: str | None
    display: str
    loinc_display: str | None
    kind: ScoreKind
    link_ids: tuple[str, ...]
    minimum: Number
    maximum: Number
    missing: MissingRule
    direction: Direction | None
    bands: tuple[Band, ...] = ()
    factor: int = 1
    at_least: int = 0
    of: str | None = None
    table: Mapping[int, Decimal] = field(default_factory=dict, hash=False)
    categories: tuple[Category, ...] = ()
    reported: bool = True

    def band(self, value: Number, sex: str | None = None) -> Band | None:
        """Return the band of a value: that of a sex where there is one for it."""
        mine = None
        for each in self.bands:
            if value in each and each.sex in {None, sex}:
                if each.sex is not None:
                    return each
                mine = mine or each
        return mine
