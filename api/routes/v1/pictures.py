"""Pictures as an answer: kept nowhere, and running nothing in a browser.

https://www.w3.org/TR/CSP3/
"""

from collections.abc import Mapping
from typing import Any

from fastapi import Response

# A style sheet of its own is all that a chart has.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


class Picture(Response):
    """A picture about a person."""

    def __init__(self, content: str | bytes, status_code: int = 200) -> None:
        headers = {"Cache-Control": "no-store", "Content-Security-Policy": POLICY}
        super().__init__(content, status_code, headers)


class Svg(Picture):
    media_type = "image/svg+xml"


class Png(Picture):
    media_type = "image/png"


def described(kind: object) -> Mapping[str, Any] | None:
    """Return what the OpenAPI document says of such an answer; None where it is no picture."""
    if not (isinstance(kind, type) and issubclass(kind, Picture)):
        return None
    schema = {"type": "string"} if kind is Svg else {"type": "string", "format": "binary"}
    return {"content": {kind.media_type: {"schema": schema}}}
