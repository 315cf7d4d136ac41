"""How long a chart takes: 26 weekly scores of a made-up person, with sessions and gaps.

    python -m bench.charts [--rounds 20] [--svg FILE]

Prints the medians of wall and CPU milliseconds. The targets are of a quiet machine: 50 for the
SVG, 300 for the PNG. `--svg` keeps the drawing, as docs/chart.svg was made.
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from service.charts import Chart, png, svg
from service.instruments import instrument
from service.models.enrollments import AttendanceMark
from service.progress.reading import Visited
from service.progress.series import Asked, Progress, Value, progress

JOINED = datetime(2026, 1, 5, 18, tzinfo=UTC)
WEEK = timedelta(weeks=1)
WEEKS = 27
NO_SCORE, NO_ANSWER = {9}, {15, 16}
MARKS = (*[AttendanceMark.PRESENT] * 6, *AttendanceMark)


def series() -> Progress:
    """A PHQ-9 that gets better, with one that cannot be scored and two that nobody answered."""
    chance = random.Random(26)
    values = []
    for week in range(WEEKS):
        score = max(0, 19 - week // 2 + chance.randint(-2, 2))
        if week not in NO_ANSWER:
            value = None if week in NO_SCORE else Decimal(score)
            values.append(Value(at=JOINED + week * WEEK, key=f"{week:02}", value=value))
    unanswered = tuple(JOINED + week * WEEK for week in sorted(NO_ANSWER))
    missed = len(unanswered)
    asked = Asked(
        due=WEEKS, answered=WEEKS - missed, overdue=0, missed=missed, unanswered=unanswered
    )
    form = instrument("phq-9")
    return progress(form, form.primary, values, JOINED, asked)


def chart() -> Chart:
    chance = random.Random(6)
    visits = [Visited(at=JOINED + n * WEEK, mark=chance.choice(MARKS)) for n in range(WEEKS)]
    return Chart(progress=series(), visits=visits, now=JOINED)


def measured(work: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Return the medians of wall and of CPU milliseconds."""
    work()  # loads what is loaded once
    walls, cpus = [], []
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return statistics.median(walls) * 1000, statistics.median(cpus) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--svg", type=Path)
    given = parser.parse_args()
    drawn = svg(chart())
    if given.svg:
        given.svg.write_text(drawn + "\n", encoding="utf-8")
    works = {
        "progress": series,
        "svg": lambda: svg(chart()),
        "png": lambda: png(drawn),
    }
    for name, work in works.items():
        wall, cpu = measured(work, given.rounds)
        print(f"{name:10}{wall:8.1f} ms wall{cpu:8.1f} ms CPU")


if __name__ == "__main__":
    main()
