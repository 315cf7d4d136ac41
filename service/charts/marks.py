"""What is drawn of a person: points with their line, the baseline, what is missing, attendance."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from service.charts.markup import INK, PAPER, QUIET, element, line, text
from service.charts.scale import BOTTOM, LEFT, RIGHT, TOP, Scale
from service.models.enrollments import AttendanceMark
from service.progress.reading import Visited
from service.progress.series import Point, Progress

FIRST_ROW, ROW = BOTTOM + 48, 20.0
MOST_NUMBERS = 30  # of which there is room for each
ABOVE, BELOW = -9, 17


def baseline(found: Progress, scale: Scale) -> Iterator[str]:
    """Yield a line at the baseline's value from then on."""
    first = found.baseline
    if first is not None and first.value is not None:
        y = scale.y(first.value)
        yield line(scale.x(first.at), y, RIGHT, y, stroke=QUIET, stroke_dasharray="2 3")


def curve(found: Progress, scale: Scale) -> Iterator[str]:
    """Yield the line from point to point, dashed where something between them is missing."""
    gaps = [each.at for each in found.points if each.value is None]
    gaps += found.asked.unanswered if found.asked else ()
    for before, after in pairwise(_scored(found)):
        missing = any(before.at < gap < after.at for gap in gaps)
        yield line(
            *_place(before, scale),
            *_place(after, scale),
            stroke_width=2,
            stroke_dasharray="7 5" if missing else None,
        )


def points(found: Progress, scale: Scale) -> Iterator[str]:
    scored = _scored(found)
    for n, each in enumerate(scored):
        x, y = _place(each, scale)
        first = found.baseline is not None and each.key == found.baseline.key
        yield diamond(x, y) if first else element("circle", cx=x, cy=y, r=4, fill=INK)
        if len(scored) <= MOST_NUMBERS or first or n == len(scored) - 1:
            yield _number(each, x, y)


def diamond(x: float, y: float) -> str:
    path = f"M{x:.1f} {y - 7:.1f}l7 7l-7 7l-7 -7z"
    return element("path", d=path, fill=PAPER, stroke=INK, stroke_width=2)


def lacks(found: Progress) -> bool:
    """Tell whether anything is missing: no score, or no answer."""
    return found.not_scorable > 0 or bool(found.asked and found.asked.unanswered)


def missing(found: Progress, scale: Scale, y: float) -> Iterator[str]:
    """Yield what was answered and could not be scored, and what was due and not answered."""
    yield _row("Missing", y)
    for each in found.points:
        if each.value is None:
            yield cross(scale.x(each.at), y)
    for at in found.asked.unanswered if found.asked else ():
        yield ring(scale.x(at), y)


def cross(x: float, y: float) -> str:
    path = f"M{x - 4:.1f} {y - 4:.1f}l8 8m0 -8l-8 8"
    return element("path", d=path, stroke=INK, stroke_width=2, fill="none")


def ring(x: float, y: float) -> str:
    return element("circle", cx=x, cy=y, r=4, fill="none", stroke=INK, stroke_width=1.5)


def attendance(visits: Sequence[Visited], scale: Scale, y: float) -> Iterator[str]:
    yield _row("Sessions", y)
    yield from (visited(each.mark, scale.x(each.at), y) for each in visits)


def visited(mark: AttendanceMark, x: float, y: float) -> str:
    """Return the sign of one session: they differ by form, and by being filled."""
    if mark is AttendanceMark.EXCUSED:
        return line(x - 4, y, x + 4, y, stroke_width=2)
    if mark is AttendanceMark.LATE:
        path = f"M{x - 4:.1f} {y + 4:.1f}h8v-8z"
        return element("path", d=path, fill=INK, stroke=INK)
    fill = INK if mark is AttendanceMark.PRESENT else "none"
    return element("rect", x=x - 4, y=y - 4, width=8, height=8, fill=fill, stroke=INK)


def _row(words: str, y: float) -> str:
    return text(words, LEFT - 7, y + 4, text_anchor="end", font_size=10.5, fill=QUIET)


def moments(found: Progress, visits: Sequence[Visited]) -> list[datetime]:
    """Return everything that has a place on the axis of time."""
    unanswered = found.asked.unanswered if found.asked else ()
    return [*(p.at for p in found.points), *unanswered, *(v.at for v in visits)]


def _scored(found: Progress) -> list[Point]:
    return [each for each in found.points if each.value is not None]


def _place(point: Point, scale: Scale) -> tuple[float, float]:
    return scale.x(point.at), scale.y(point.value or scale.low)


def _number(point: Point, x: float, y: float) -> str:
    dy = BELOW if y < TOP + 16 else ABOVE
    halo = {"stroke": PAPER, "stroke_width": 3, "paint_order": "stroke"}
    return text(f"{point.value}", x, y + dy, text_anchor="middle", font_size=11, **halo)
