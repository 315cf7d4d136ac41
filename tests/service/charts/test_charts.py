"""The chart: well-formed, with everything it shows as text too, and the same as a picture."""

import struct
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest

from service.charts import Chart, png, svg
from service.charts.markup import DARK
from service.charts.scale import apart, scale_of
from service.instruments import all_versions, instrument
from service.models.enrollments import AttendanceMark
from service.progress.reading import Visited
from service.progress.series import Asked, Value, progress

JOINED = datetime(2026, 9, 7, 18, tzinfo=UTC)
DAY = timedelta(days=1)
SVG = "{http://www.w3.org/2000/svg}"


def chart(*values, form="phq-9", score=None, visits=(), asked=None):
    definition = instrument(form)
    made = [
        Value(at=JOINED + day * DAY, key=f"{n:03}", value=None if v is None else Decimal(str(v)))
        for n, (day, v) in enumerate(values)
    ]
    rule = definition.by_score[score] if score else definition.primary
    found = progress(definition, rule, made, JOINED, asked)
    seen = [Visited(at=JOINED + day * DAY, mark=mark) for day, mark in visits]
    return svg(Chart(progress=found, visits=seen, now=JOINED))


def words(drawn):
    root = ET.fromstring(drawn)  # noqa: S314 - our own
    return root, [each.text for each in root.iter(f"{SVG}text")]


GAPS = {
    "asked": Asked(due=4, answered=2, overdue=1, missed=1, unanswered=(JOINED + 42 * DAY,)),
    "visits": [(7 * n, mark) for n, mark in enumerate(AttendanceMark)],
}


def test_everything_that_is_drawn_is_said_in_words():
    root, shown = words(chart((0, 18), (14, None), (28, 9), **GAPS))
    assert root.get("role") == "img"
    said = root.find(f"{SVG}desc").text
    for part in (
        "baseline 18 (7 Sep 2026)", "last 9 (5 Oct 2026)", "change \u22129",
        "7 Sep 2026 18 (moderately severe)", "21 Sep 2026 no score", "severe 20 to 27",
        "4 were due, 2 answered, 1 missed, 1 overdue", "Not answered: 19 Oct 2026",
        "14 Sep 2026 late", "Rule response-50-percent: met", "Rule remission-below-5: not-met",
    ):  # fmt: skip
        assert part in said
    assert {"18", "9", "20\u201327 severe", "Missing", "Sessions", "due, not answered"} <= set(
        shown
    )
    assert root.find(f"{SVG}title").text.startswith("PHQ-9")


def test_bands_differ_by_pattern():
    root, _ = words(chart((0, 18)))
    fills = [each.get("fill") for each in root.iter(f"{SVG}rect")]
    used = [each for each in fills if each.startswith("url")]
    assert len(used) == len(set(used)) == 4
    assert "none" in fills


def test_the_line_is_dashed_where_something_is_missing():
    plain, gap = chart((0, 18), (28, 9)), chart((0, 18), (14, None), (28, 9))
    assert "7 5" not in plain
    assert "7 5" in gap


def test_every_colour_has_one_for_dark_screens_and_none_for_paper():
    drawn = chart((0, 18), (28, 9), **GAPS)
    assert "@media screen and (prefers-color-scheme: dark)" in drawn
    assert all(dark in drawn for dark in DARK.values())
    root, _ = words(drawn)
    for each in root.iter():
        for name in ("fill", "stroke"):
            colour = each.get(name)
            if colour is not None and colour.startswith("#"):
                assert f"{name[0]}-" in each.get("class")


def test_a_questionnaire_without_rules_or_bands_says_so():
    root, _ = words(chart((0, 22), (30, 31), form="gse"))
    said = root.find(f"{SVG}desc").text
    assert "No rule with a source for: response, remission, important, reliable." in said
    assert "Bands" not in said


def test_there_is_a_chart_before_there_is_a_score():
    _, shown = words(chart())
    assert any("No score yet" in each for each in shown)


@pytest.mark.parametrize(
    ("form", "score"),
    [(f.id, s.id) for f in all_versions() for s in f.reported_scores],
)
def test_every_score_of_every_questionnaire_can_be_drawn(form, score):
    rule = instrument(form).by_score[score]
    drawn = chart((0, rule.minimum), (30, rule.maximum), form=form, score=score)
    root, shown = words(drawn)
    low, high = (f"{Decimal(str(v))}" for v in (rule.minimum, rule.maximum))
    assert {low, high} <= set(shown)
    right = max(float(e.get("x", 0)) for e in root.iter(f"{SVG}text"))
    assert right < 760


def test_nothing_in_an_instrument_can_break_the_drawing():
    form = replace(instrument("phq-9"), name='<script>&"')
    found = progress(form, form.primary, [], None)
    root, _ = words(svg(Chart(progress=found, now=JOINED)))
    assert root.find(f"{SVG}title").text.startswith('<script>&"')


def test_the_picture_is_of_the_same_drawing():
    picture = png(chart((0, 18), (28, 9), **GAPS))
    assert picture.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", picture[16:24])
    assert (width, 600 < height < 700) == (1140, True)
    assert picture != png(chart((0, 18), (28, 10), **GAPS))


def test_numbers_are_drawn_with_the_font_that_is_shipped():
    """Without a font resvg leaves all text out, without a word."""
    with_text = chart((0, 18))
    assert len(png(with_text)) > 1.5 * len(
        png(with_text.replace("<text", "<desc").replace("</text", "</desc"))
    )


def test_dates_are_few_and_values_within_the_range():
    for days in (1, 14, 15, 90, 400, 4000):
        scale = scale_of([JOINED, JOINED + days * DAY], Decimal("21.2"), Decimal("67.6"), JOINED)
        assert 2 <= len(scale.dates()) <= 8
        assert all(scale.low <= each <= scale.high for each in scale.values())
        assert len(scale.values()) >= 3


def test_labels_are_moved_apart_and_stay_within():
    assert apart([10, 11, 12], 5, 0, 100) == [10, 15, 20]
    assert apart([95, 96, 97], 5, 0, 100) == [90, 95, 100]
