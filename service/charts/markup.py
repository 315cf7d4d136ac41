"""Elements of SVG as text, and how the light drawing becomes a dark one.

Colours are attributes, which every renderer knows; what a dark screen or a printer needs is in
one style sheet, which browsers apply and others pass over. https://www.w3.org/TR/SVG2/
"""

from xml.sax.saxutils import escape, quoteattr

FONT = "DejaVu Sans, Verdana, Helvetica, Arial, sans-serif"
INK, PAPER, PALE, FAINT, QUIET = "#000000", "#ffffff", "#a0a0a0", "#cccccc", "#444444"
DARK = {INK: "#f2f2f2", PAPER: "#121212", PALE: "#8a8a8a", FAINT: "#4a4a4a", QUIET: "#c8c8c8"}
NAMES = {INK: "ink", PAPER: "paper", PALE: "pale", FAINT: "faint", QUIET: "quiet"}


def style() -> str:
    """Return the style sheet for dark screens; on paper the drawing stays black on white."""
    rules = "".join(
        f".f-{NAMES[light]}{{fill:{dark}}}.s-{NAMES[light]}{{stroke:{dark}}}"
        for light, dark in DARK.items()
    )
    return f"<style>@media screen and (prefers-color-scheme: dark){{{rules}}}</style>"


def element(name: str, content: str = "", /, **attributes: object) -> str:
    """Return an element; `_` in an attribute's name stands for `-`, and None leaves it out.

    `fill` and `stroke` of a colour above bring the class by which the style sheet finds them.
    """
    given = {
        key.rstrip("_").replace("_", "-"): _shown(v)
        for key, v in attributes.items()
        if v is not None
    }
    classes = [
        f"{key[0]}-{NAMES[str(value)]}"
        for key in ("fill", "stroke")
        if (value := given.get(key)) in NAMES
    ]
    if classes:
        given["class"] = " ".join(classes)
    listed = "".join(f" {key}={quoteattr(value)}" for key, value in given.items())
    return f"<{name}{listed}>{content}</{name}>" if content else f"<{name}{listed}/>"


def text(words: str, x: float, y: float, **more: object) -> str:
    return element("text", escape(words), x=x, y=y, **{"fill": INK, "font_size": 12, **more})


def line(x1: float, y1: float, x2: float, y2: float, **more: object) -> str:
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, **{"stroke": INK, **more})


def _shown(value: object) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
