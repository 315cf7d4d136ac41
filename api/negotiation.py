"""What a request says about forms and preferences: Accept, _format, Prefer, If-Match.

https://hl7.org/fhir/R4/http.html#general
"""

from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl

from starlette.requests import Request

from service.errors import InvalidError
from service.fhir.search_parameters import MOST_PARAMETERS
from service.fhir.search_results import JSON_FORMATS

RETURNS = frozenset({"minimal", "representation", "OperationOutcome"})
ACCEPTED = ("json", "*/*", "application/*")

Pairs = Sequence[tuple[str, str]]


def pairs_of(text: str) -> list[tuple[str, str]]:
    """Return the parameters of a query or form.

    Raises:
        InvalidError: there are too many.
    """
    if not text:
        return []
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_PARAMETERS + 1)
    except ValueError:
        raise InvalidError(f"more than {MOST_PARAMETERS} parameters", element="query") from None


def accepts_json(request: Request, pairs: Pairs) -> bool:
    """Return whether JSON may be answered; `_format` comes before Accept."""
    for name, value in pairs:
        if name == "_format":
            return value.partition(";")[0].replace(" ", "+") in JSON_FORMATS
    for name, raw in request.scope["headers"]:
        if name == b"accept":
            text = raw.decode("latin-1").lower()
            return any(kind in text for kind in ACCEPTED) or not text.strip()
    return True


def is_json(request: Request) -> bool:
    """Return whether the body says that it is JSON."""
    return media_type(request) in {"application/fhir+json", "application/json"}


def media_type(request: Request) -> str:
    """Return what the body says that it is, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def preferences(request: Request) -> dict[str, str]:
    """Return what Prefer headers say, such as {"return": "minimal", "handling": "strict"}."""
    found: dict[str, str] = {}
    for header in request.headers.getlist("prefer"):
        for part in header.replace(";", ",").split(","):
            name, _, value = part.partition("=")
            found.setdefault(name.strip().lower(), value.strip().strip('"'))
    return found


def is_strict(request: Request) -> bool:
    return preferences(request).get("handling") == "strict"


def returned(request: Request, default: str = "representation") -> str:
    """Return what a write shall answer: minimal, representation or OperationOutcome."""
    wanted = preferences(request).get("return", "")
    return wanted if wanted in RETURNS else default


def modified_since(request: Request) -> int | None:
    """Return the second that If-Modified-Since names; None where it is not sent, or is no date."""
    header = request.headers.get("if-modified-since")
    if header is None:
        return None
    try:
        return int(parsedate_to_datetime(header).timestamp())
    except (ValueError, OverflowError):
        return None


def versions(request: Request, name: str) -> frozenset[str] | None:
    """Return the versions that If-Match or If-None-Match names; None where it is not sent.

    Raises:
        InvalidError: it is not a list of ETags.
    """
    header = request.headers.get(name)
    if header is None:
        return None
    found = set()
    for part in header.split(","):
        tag = part.strip().removeprefix("W/")
        if tag != "*" and not (len(tag) > 2 and tag[0] == tag[-1] == '"'):  # noqa: PLR2004
            raise InvalidError('must hold ETags such as W/"1"', element=name)
        found.add(tag.strip('"'))
    return frozenset(found)
