"""The chart as PNG, of the same SVG, with a font that is part of this package.

No font of the machine is looked for: a picture is the same everywhere, and on a bare machine too.
https://github.com/linebender/resvg
"""

from functools import cache
from importlib.resources import as_file, files

import resvg_py

FONT = "DejaVuSans.ttf"
FAMILY = "DejaVu Sans"
LARGER = 1.5  # so that it is sharp on paper


def png(svg: str) -> bytes:
    """Return the picture: black on white, whatever the screen's colours."""
    return resvg_py.svg_to_bytes(
        svg_string=svg,
        zoom=LARGER,
        skip_system_fonts=True,
        font_files=[_font()],
        font_family=FAMILY,
        sans_serif_family=FAMILY,
    )


@cache
def _font() -> str:
    """Return the path of the font; the package is installed as files, never as an archive."""
    with as_file(files("service.charts").joinpath(FONT)) as path:
        return str(path)
