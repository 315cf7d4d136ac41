"""Cells: what each column takes, and the rule that is named otherwise."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from service.errors import AlongsideError
from service.imports import cells
from service.models.groups import Modality

LONDON = ZoneInfo("Europe/London")


@pytest.mark.parametrize(
    ("read", "cell", "zone", "value"),
    [
        (cells.text, "Zoë", None, "Zoë"),
        (cells.whole, "12", None, 12),
        (cells.whole, "0", None, 0),
        (cells.flag, "true", None, True),
        (cells.flag, "false", None, False),
        (cells.words, "phq-9  gad-7", None, ("phq-9", "gad-7")),
        (cells.one_of(Modality), "virtual", None, Modality.VIRTUAL),
        (cells.moment, "2026-01-20T18:00:00+01:00", None, datetime(2026, 1, 20, 17, tzinfo=UTC)),
        (cells.moment, "2026-01-20 18:00Z", LONDON, datetime(2026, 1, 20, 18, tzinfo=UTC)),
        (cells.moment, "2026-07-20T18:00", LONDON, datetime(2026, 7, 20, 17, tzinfo=UTC)),
        (cells.day_or_moment, "2026-07-20", LONDON, datetime(2026, 7, 19, 23, tzinfo=UTC)),
        (cells.day_or_moment, "2026-07-20T00:00Z", None, datetime(2026, 7, 20, tzinfo=UTC)),
    ],
)
def test_a_cell_is_read(read, cell, zone, value):
    assert read(cell, zone) == value


@pytest.mark.parametrize(
    ("read", "cell", "zone", "rule"),
    [
        (cells.text, "a\0b", None, "U\\+0000"),
        (cells.text, "a\udcffb", None, "UTF-8"),
        (cells.whole, "12.0", None, "whole number"),
        (cells.whole, "-1", None, "whole number"),
        (cells.whole, "2147483648", None, "whole number"),
        (cells.whole, "99999999999", None, "whole number"),
        (cells.whole, "٣", None, "whole number"),
        (cells.flag, "yes", None, "true or false"),
        (cells.row_id, "circle", None, "an id"),
        (cells.one_of(Modality), "Virtual", None, "in-person, virtual"),
        (cells.moment, "20.01.2026 18:00", None, "ISO 8601"),
        (cells.moment, "01/20/2026", None, "ISO 8601"),
        (cells.moment, "2026-02-30T10:00Z", None, "ISO 8601"),
        (cells.moment, "2026-01-20", LONDON, "time of day"),
        (cells.moment, "2026-01-20T18:00", None, "offset"),
        (cells.moment, "2026-03-29T01:30", LONDON, "clocks change"),
        (cells.moment, "2026-10-25T01:30", LONDON, "clocks change"),
        (cells.moment, "0001-01-01T00:00+14:00", None, "calendar"),
        (cells.day_or_moment, "2026-07-20", None, "offset"),
        (cells.day_or_moment, "20.07.2026", LONDON, "ISO 8601"),
    ],
)
def test_what_is_not_such_a_value_is_named_by_its_rule(read, cell, zone, rule):
    with pytest.raises(AlongsideError, match=rule):
        read(cell, zone)
