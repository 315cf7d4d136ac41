"""Pictures as an answer: kept nowhere, and running nothing in a browser.

https://www.w3.org/TR/CSP3/
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from fastapi import Response

# A style sheet of its own is all that a chart has.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


class Picture(Response):
    """A picture about a person, with what the OpenAPI document says of it."""

    schema: ClassVar[dict[str, str]]
    example: ClassVar[str]

    def __init__(self, content: str | bytes, status_code: int = 200) -> None:
        headers = {"Cache-Control": "no-store", "Content-Security-Policy": POLICY}
        super().__init__(content, status_code, headers)


class Svg(Picture):
    media_type = "image/svg+xml"
    schema: ClassVar[dict[str, str]] = {"type": "string"}
    example: ClassVar[str] = '<svg xmlns="http://www.w3.org/2000/svg" role="img">...</svg>'


class Png(Picture):
    media_type = "image/png"
    schema: ClassVar[dict[str, str]] = {"type": "string", "format": "binary"}
    example: ClassVar[str] = "the bytes of the picture"


def described(kind: object) -> Mapping[str, Any] | None:
    """Return what the OpenAPI document says of such an answer; None where it is no picture."""
    if not (isinstance(kind, type) and issubclass(kind, Picture)):
        return None
    return {"content": {kind.media_type: {"schema": kind.schema, "example": kind.example}}}
