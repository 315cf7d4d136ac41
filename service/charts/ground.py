"""What a chart's points stand on: bands, axes and their words.

Bands differ by pattern and by label, so that neither colour nor a good screen is needed.
"""

from collections.abc import Iterator
from decimal import Decimal
from textwrap import wrap

from service.charts.markup import FAINT, INK, PALE, PAPER, QUIET, element, line, text
from service.charts.scale import BOTTOM, LEFT, RIGHT, TOP, Scale, apart, day
from service.instruments import Band, Direction, ScoreRule

LABELS = RIGHT + 10
LABEL_WIDTH, LABEL_LINES, LABEL_SIZE, LABEL_HEIGHT = 27, 2, 10.5, 12.0
SMALLEST = 1.0
# From nothing to close lines; the density says nothing about severity, the label does.
PATTERNS = ("", "M0 8L8 0", "M0 4H8", "M4 0V8M0 4H8", "M0 8L8 0M0 0L8 8")


def patterns() -> str:
    made = "".join(
        element(
            "pattern",
            element("path", d=path, stroke=FAINT, stroke_width=0.7, fill="none"),
            id=f"band-{n}",
            width=8,
            height=8,
            patternUnits="userSpaceOnUse",
        )
        for n, path in enumerate(PATTERNS)
        if path
    )
    return element("defs", made)


def bands(score: ScoreRule, scale: Scale) -> Iterator[str]:
    """Yield the bands that are for everybody, with their labels beside the plot."""
    shown = sorted((b for b in score.bands if b.sex is None), key=lambda b: -b.minimum)
    edges = [_edges(band, shown, scale) for band in shown]
    for n, (upper, lower) in enumerate(edges):
        path = PATTERNS[(len(shown) - 1 - n) % len(PATTERNS)]
        fill = f"url(#band-{(len(shown) - 1 - n) % len(PATTERNS)})" if path else "none"
        size = {"width": RIGHT - LEFT, "height": max(lower - upper, SMALLEST)}
        yield element("rect", x=LEFT, y=upper, fill=fill, **size)
        if n:
            yield line(LEFT, upper, RIGHT + 4, upper, stroke=PALE)
    yield from _labels(shown, edges)


def _edges(band: Band, shown: list[Band], scale: Scale) -> tuple[float, float]:
    """Return where a band begins and ends: half way to its neighbours, so that none is bare."""
    above = [b.minimum for b in shown if b.minimum > band.maximum]
    below = [b.maximum for b in shown if b.maximum < band.minimum]
    top = scale.y((Decimal(min(above)) + Decimal(band.maximum)) / 2) if above else TOP
    bottom = scale.y((Decimal(max(below)) + Decimal(band.minimum)) / 2) if below else BOTTOM
    return top, bottom


def _labels(shown: list[Band], edges: list[tuple[float, float]]) -> Iterator[str]:
    words = [_wrapped(band) for band in shown]
    most = max((len(each) for each in words), default=1)
    middles = [(upper + lower) / 2 for upper, lower in edges]
    places = apart(middles, LABEL_HEIGHT * most, TOP + 6, BOTTOM)
    for lines_, y in zip(words, places, strict=True):
        for n, each in enumerate(lines_):
            top = y + 4 - (len(lines_) - 1) * LABEL_HEIGHT / 2
            yield text(each, LABELS, top + n * LABEL_HEIGHT, font_size=LABEL_SIZE, fill=QUIET)


def _wrapped(band: Band) -> list[str]:
    whole = f"{band.minimum}\u2013{band.maximum} {band.label}"
    return wrap(whole, LABEL_WIDTH, max_lines=LABEL_LINES, placeholder=" \u2026")


def axes(scale: Scale) -> Iterator[str]:
    size = {"width": RIGHT - LEFT, "height": BOTTOM - TOP}
    yield element("rect", x=LEFT, y=TOP, fill="none", stroke=INK, **size)
    for value in scale.values():
        y = scale.y(value)
        yield line(LEFT - 4, y, LEFT, y)
        yield text(f"{value.normalize():f}", LEFT - 7, y + 4, text_anchor="end", font_size=11)
    yield from _dates(scale)


def _dates(scale: Scale) -> Iterator[str]:
    year = None
    for at in scale.dates():
        x = scale.x(at)
        yield line(x, BOTTOM, x, BOTTOM + 4)
        yield text(day(at, year=False), x, BOTTOM + 17, text_anchor="middle", font_size=11)
        if at.year != year:
            yield text(str(at.year), x, BOTTOM + 30, text_anchor="middle", font_size=11)
        year = at.year


def direction(score: ScoreRule) -> str:
    if score.direction is None:
        return "whether higher is better no source says"
    return "higher is worse" if score.direction is Direction.WORSE else "higher is better"


def paper(width: float, height: float) -> str:
    return element("rect", width=width, height=height, fill=PAPER)
