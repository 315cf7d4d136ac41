"""The chart of one score: the drawing, its words, and the same as text for who cannot see it.

It names nobody: neither the person nor the group. https://www.w3.org/TR/SVG2/
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from xml.sax.saxutils import escape

from service.charts import ground, marks
from service.charts.markup import FONT, QUIET, element, style, text
from service.charts.scale import LEFT, Scale, day, scale_of
from service.models.enrollments import AttendanceMark
from service.progress.reading import Visited
from service.progress.series import Point, Progress

WIDTH = 760.0
TITLE_SIZE, LETTER = 16.0, 0.62  # and how wide a letter is, as a part of its height
NOT_YET = "No score yet"


@dataclass(frozen=True, kw_only=True)
class Chart:
    """What is drawn; `visits` are none where attendance may not be shown.

    `notice` is what the law wants said wherever this goes, if anything.
    """

    progress: Progress
    visits: Sequence[Visited] = ()
    now: datetime
    notice: str | None = None


def svg(chart: Chart) -> str:
    """Return the chart as an SVG document."""
    found, score = chart.progress, chart.progress.score
    moments = marks.moments(found, chart.visits)
    scale = scale_of(moments, Decimal(score.minimum), Decimal(score.maximum), chart.now)
    parts, height = _parts(chart, scale)
    return element(
        "svg",
        "".join(parts),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH:.0f} {height:.0f}",
        width=WIDTH,
        height=height,
        font_family=FONT,
        role="img",
        aria_labelledby="title desc",
        lang="en",
    )


def _parts(chart: Chart, scale: Scale) -> tuple[list[str], float]:
    """Return what is drawn, from the back to the front, and how high it is."""
    found, below = chart.progress, marks.FIRST_ROW
    rows: list[str] = []
    if marks.lacks(found):
        rows += marks.missing(found, scale, below)
        below += marks.ROW
    if chart.visits:
        rows += marks.attendance(chart.visits, scale, below)
        below += marks.ROW
    for signs in _key(chart):
        rows += _listed(signs, below + 6)
        below += marks.ROW
    if chart.notice:
        rows.append(text(chart.notice, LEFT, below + 10, font_size=11))
        below += marks.ROW
    return [
        *_words(chart),
        style(),
        ground.patterns(),
        ground.paper(WIDTH, below + 6),
        *_heading(found),
        *ground.bands(found.score, scale),
        *ground.axes(scale),
        *marks.baseline(found, scale),
        *marks.curve(found, scale),
        *marks.points(found, scale),
        *rows,
    ], below + 6


def _words(chart: Chart) -> Iterator[str]:
    yield element("title", escape(heading(chart.progress)), id="title")
    said = [*described(chart), *filter(None, [chart.notice])]
    yield element("desc", escape(" ".join(said)), id="desc")


def _heading(found: Progress) -> Iterator[str]:
    words = heading(found)
    size = min(TITLE_SIZE, (WIDTH - LEFT - 10) / (LETTER * len(words)))
    yield text(words, LEFT, 24, font_size=size, font_weight="bold")
    yield text(" \u00b7 ".join(summary(found)), LEFT, 46, font_size=12, fill=QUIET)


def heading(found: Progress) -> str:
    return f"{found.form.name}: {found.score.display}"


def summary(found: Progress) -> Iterator[str]:
    """Yield what is written above the plot."""
    yield f"{found.score.minimum} to {found.score.maximum}, {ground.direction(found.score)}"
    first, last = found.baseline, found.last
    if last is None:
        yield NOT_YET
        return
    if first is not None:
        yield f"baseline {first.value} ({day(first.at)})"
    if first is None or first.key != last.key:
        yield f"last {last.value} ({day(last.at)})"
    if last.from_baseline is not None:
        yield f"change {_signed(last.from_baseline)}"


def described(chart: Chart) -> Iterator[str]:
    """Yield the sentences that say what the drawing shows, every number among them."""
    found = chart.progress
    yield "; ".join(summary(found)) + "."
    bands = [b for b in found.score.bands if b.sex is None]
    if bands:
        yield "Bands: " + ", ".join(f"{b.label} {b.minimum} to {b.maximum}" for b in bands) + "."
    if found.points:
        yield "Scores: " + "; ".join(map(_said, found.points)) + "."
    if found.asked is not None:
        yield (
            f"{found.asked.due} were due, {found.asked.answered} answered,"
            f" {found.asked.missed} missed, {found.asked.overdue} overdue."
        )
        if found.asked.unanswered:
            yield "Not answered: " + ", ".join(map(day, found.asked.unanswered)) + "."
    if chart.visits:
        visits = (f"{day(each.at)} {each.mark.value}" for each in chart.visits)
        yield "Sessions: " + ", ".join(visits) + "."
    for each in found.findings:
        yield f"Rule {each.rule.id}: {each.result.value}."
    if found.silent:
        yield f"No rule with a source for: {', '.join(found.silent)}."


def _said(point: Point) -> str:
    if point.value is None:
        return f"{day(point.at)} no score, too little was answered"
    band = f" ({point.band.label})" if point.band else ""
    return f"{day(point.at)} {point.value}{band}"


def _signed(value: Decimal) -> str:
    return f"+{value}" if value > 0 else f"\u2212{-value}" if value < 0 else "0"


def _key(chart: Chart) -> Iterator[list[tuple[str, str]]]:
    """Yield lines of signs, each with what it stands for; of what is not drawn there is none."""
    found, signs = chart.progress, []
    if found.baseline is not None:
        signs.append((marks.diamond(0, 0), "baseline"))
    if found.not_scorable:
        signs.append((marks.cross(0, 0), "answered, no score"))
    if found.asked is not None and found.asked.unanswered:
        signs.append((marks.ring(0, 0), "due, not answered"))
    if signs:
        yield signs
    if chart.visits:
        yield [(marks.visited(mark, 0, 0), mark.value) for mark in AttendanceMark]


def _listed(signs: list[tuple[str, str]], y: float) -> Iterator[str]:
    x = LEFT
    for sign, words in signs:
        yield from _entry(sign, words, x, y)
        x += 30 + 6.6 * len(words)


def _entry(sign: str, words: str, x: float, y: float) -> Iterator[str]:
    yield element("g", sign, transform=f"translate({x + 6:.1f} {y:.1f})")
    yield text(words, x + 18, y + 4, font_size=11)
