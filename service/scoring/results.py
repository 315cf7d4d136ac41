"""What answers come to: values with their bands, or the reason why there is none."""

from dataclasses import dataclass
from decimal import Decimal

from service.instruments import Band, Number


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One score; either `value` or `reason` is null.

    `missing`: items it needs that were not answered, which it may have been prorated over;
    `not_applicable`: items answered with what counts nothing.
    """

    id: str
    value: Number | None = None
    band: Band | None = None
    reason: str | None = None
    missing: tuple[str, ...] = ()
    prorated: bool = False
    not_applicable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The total with its band, or the reason why there is none; and every score reported.

    `missing` are the items of any score that were to be answered and were not.
    """

    total: int | None = None
    band: Band | None = None
    reason: str | None = None
    missing: tuple[str, ...] = ()
    scores: tuple[Scored, ...] = ()

    @property
    def stored(self) -> dict[str, int | float | None] | None:
        """Return the scores beside the total as JSON holds them, null where it is the only one."""
        beside = self.scores[1:]
        return {each.id: _plain(each.value) for each in beside} if beside else None


def _plain(value: Number | None) -> int | float | None:
    return float(value) if isinstance(value, Decimal) else value
