"""Charts of progress: SVG by this project's own code, PNG of the same by resvg (ADR 0045).

https://www.w3.org/TR/SVG2/
"""

from service.charts.chart import Chart, svg
from service.charts.png import png

__all__ = ["Chart", "png", "svg"]
