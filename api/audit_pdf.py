"""The accounting of disclosures as a PDF that a person can be handed.

https://docs.reportlab.com/reportlab/userguide/ch5_platypus/
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

FONT = "DejaVuSans"
MARGIN = 18 * mm
WIDTHS = (38 * mm, 50 * mm, 56 * mm, 30 * mm)
HEADINGS = ("When (UTC)", "Who", "What", "Purpose")
NOTHING = "No hospital has received anything about this person in the time that is kept."
ENDS = "There were more disclosures than are listed here: ask for a shorter period."


@dataclass(frozen=True)
class Line:
    """One disclosure."""

    at: datetime
    who: str
    what: str
    purpose: str


@dataclass(frozen=True)
class Report:
    """What is printed: whose, by whom, and for each hospital what it got."""

    person: str
    programme: str
    made: datetime
    hospitals: list[tuple[str, list[Line]]]
    complete: bool


def pdf(report: Report) -> bytes:
    """Return the document; its text can be selected and searched."""
    _register()
    output = BytesIO()
    document = SimpleDocTemplate(
        output,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=MARGIN,
        bottomMargin=MARGIN,
        title="Accounting of disclosures",
        author=report.programme,
        lang="en",
    )
    document.build(list(_story(report)), onFirstPage=_foot, onLaterPages=_foot)
    return output.getvalue()


@cache
def _register() -> None:
    with files("api").joinpath("fonts", "DejaVuSans.ttf").open("rb") as font:
        pdfmetrics.registerFont(TTFont(FONT, BytesIO(font.read())))


def _style(size: float, *, before: float = 0, after: float = 4) -> ParagraphStyle:
    return ParagraphStyle(
        f"of-{size}", fontName=FONT, fontSize=size, leading=size * 1.35,
        spaceBefore=before, spaceAfter=after,
    )  # fmt: skip


def _story(report: Report) -> Iterator[Any]:
    yield Paragraph("Accounting of disclosures", _style(18, after=8))
    yield Paragraph(escape(report.person), _style(13))
    made = f"{escape(report.programme)}, {report.made:%Y-%m-%d %H:%M} UTC"
    yield Paragraph(f"Who received what about this person. {made}.", _style(9))
    if not report.hospitals:
        yield Paragraph(NOTHING, _style(10, before=8))
    for name, lines in report.hospitals:
        yield Paragraph(escape(name), _style(12, before=10))
        yield _table(lines)
    if not report.complete:
        yield Spacer(1, 4 * mm)
        yield Paragraph(ENDS, _style(10))


def _table(lines: list[Line]) -> Table:
    cell = _style(8, after=0)
    rows: list[Any] = [HEADINGS]
    for each in lines:
        texts = (f"{each.at:%Y-%m-%d %H:%M:%S}", each.who, each.what, each.purpose)
        rows.append([Paragraph(escape(text), cell) for text in texts])
    style: list[Any] = [
        ("FONT", (0, 0), (-1, 0), FONT, 8),
        ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke),
        ("LINEBELOW", (0, 0), (-1, -1), 0.25, colors.lightgrey),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ]
    return Table(rows, colWidths=WIDTHS, repeatRows=1, style=TableStyle(style), hAlign="LEFT")


def _foot(canvas: Any, _document: Any) -> None:  # noqa: ANN401 - reportlab's, which has no types
    canvas.setFont(FONT, 8)
    canvas.drawRightString(A4[0] - MARGIN, MARGIN / 2, f"Page {canvas.getPageNumber()}")
