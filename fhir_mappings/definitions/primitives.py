"""The formats of primitive values in JSON, impossible dates included.

https://hl7.org/fhir/R4/datatypes.html#primitive
"""

import binascii
import math
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal

Check = Callable[[object], bool]

LONGEST_STRING = 1024 * 1024
_YEAR = r"(?:[0-9](?:[0-9](?:[0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)"
_MONTH = r"-(?:0[1-9]|1[0-2])"
_DAY = r"-(?:0[1-9]|[12][0-9]|3[01])"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_ZONE = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_WHOLE_DATE = 10
_control = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]").search
_blanks = re.compile(r"\s+")


def _matching(pattern: str) -> Check:
    fullmatch = re.compile(pattern).fullmatch
    return lambda value: isinstance(value, str) and fullmatch(value) is not None


def _dated(pattern: str) -> Check:
    matches = _matching(pattern)
    return lambda value: matches(value) and _in_calendar(str(value))


def _in_calendar(text: str) -> bool:
    if len(text) < _WHOLE_DATE:
        return True
    try:
        date.fromisoformat(text[:_WHOLE_DATE])
    except ValueError:
        return False
    return True


def _whole(lowest: int) -> Check:
    return lambda value: type(value) is int and lowest <= value < 2**31


def _is_decimal(value: object) -> bool:
    return type(value) is int or (isinstance(value, Decimal | float) and math.isfinite(value))


def _is_string(value: object) -> bool:
    return (
        isinstance(value, str)
        and bool(value)
        and not value.isspace()
        and len(value) <= LONGEST_STRING
        and _control(value) is None
    )


def _is_base64(value: object) -> bool:
    if not isinstance(value, str) or not value.isascii():
        return False
    try:
        return bool(binascii.a2b_base64(_blanks.sub("", value), strict_mode=True))
    except ValueError:
        return False


CHECKS: dict[str, Check] = {
    "base64Binary": _is_base64,
    "boolean": lambda value: isinstance(value, bool),
    "canonical": _matching(r"\S+"),
    "code": _matching(r"[^\s]+(?:\s[^\s]+)*"),
    "date": _dated(rf"{_YEAR}(?:{_MONTH}(?:{_DAY})?)?"),
    "dateTime": _dated(rf"{_YEAR}(?:{_MONTH}(?:{_DAY}(?:T{_TIME}{_ZONE})?)?)?"),
    "decimal": _is_decimal,
    "id": _matching(r"[A-Za-z0-9\-.]{1,64}"),
    "instant": _dated(rf"{_YEAR}{_MONTH}{_DAY}T{_TIME}{_ZONE}"),
    "integer": _whole(-(2**31)),
    "markdown": _is_string,
    "oid": _matching(r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+"),
    "positiveInt": _whole(1),
    "string": _is_string,
    "time": _matching(_TIME),
    "unsignedInt": _whole(0),
    "uri": _matching(r"\S+"),
    "url": _matching(r"\S+"),
    "uuid": _matching(r"urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "xhtml": _is_string,
}
