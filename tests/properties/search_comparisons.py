"""Whether one value is what a search asks for, as R4 has it for each type of parameter.

https://hl7.org/fhir/R4/search.html#ptypes
"""

import calendar
import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

Json = Any
ALWAYS, NEVER = 2**62, -(2**62)
FIRST = datetime(1970, 1, 1, tzinfo=UTC)
PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")


def split(text: str, separator: str) -> list[str]:
    """Split where no backslash stands before, and none of those is itself escaped."""
    hidden = text.replace("\\\\", "\0").replace("\\" + separator, "\1")
    parts = hidden.split(separator)
    return [part.replace("\1", "\\" + separator).replace("\0", "\\\\") for part in parts]


def plain(text: str) -> str:
    hidden = text.replace("\\\\", "\0")
    for char in ",|$":
        hidden = hidden.replace("\\" + char, char)
    return hidden.replace("\0", "\\")


def folded(text: str) -> str:
    letters = [c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)]
    return re.sub(r"\s+", " ", "".join(letters).casefold()).strip()


def codes(value: Json) -> Iterator[tuple[str, str]]:
    if isinstance(value, bool):
        yield "", str(value).lower()
    elif isinstance(value, str):
        yield "", value
    elif value and "coding" in value:
        for coding in value["coding"]:
            yield from codes(coding)
    elif value:
        yield value.get("system", ""), value.get("code", value.get("value", ""))


def identifier(reference: Json) -> Json:
    return reference.get("identifier") if isinstance(reference, dict) else None


def is_token(value: Json, wanted: str) -> bool:
    system, *code = (plain(part) for part in split(wanted, "|"))
    for have_system, have_code in codes(value):
        if not code:
            if have_code == system:
                return True
        elif have_system == system and code[0] in {"", have_code}:
            return True
    return False


def is_of_type(value: Json, wanted: str) -> bool:
    system, code, text = (plain(part) for part in split(wanted, "|"))
    kinds = value.get("type", {}).get("coding", []) if isinstance(value, dict) else []
    same = any(k.get("system", "") == system and k.get("code") == code for k in kinds)
    return same and value.get("value") == text


def words(value: Json) -> Iterator[str]:
    if not isinstance(value, dict):
        return
    own = [value, *value.get("coding", ())]
    if isinstance(value.get("type"), dict):
        own.append({"text": value["type"].get("text", "")})
    for node in own:
        yield from (node[name] for name in ("text", "display") if node.get(name))


def begins(text: str, wanted: str) -> bool:
    return folded(text).startswith(folded(wanted))


def is_string(value: Json, modifier: str, wanted: str) -> bool:
    for text in strings(value):
        if modifier == "exact" and text == wanted:
            return True
        if modifier == "contains" and folded(wanted) in folded(text):
            return True
        if not modifier and begins(text, wanted):
            return True
    return False


def strings(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
        return
    names = ("family", "given", "prefix", "suffix", "text", "line", "city", "district", "state")
    for name in (*names, "postalCode", "country"):
        found = value.get(name, [])
        yield from found if isinstance(found, list) else [found]


def is_quantity(value: Json, wanted: str) -> bool:
    number, *unit = (plain(part) for part in split(wanted, "|"))
    if not isinstance(value, dict) or "value" not in value or not is_unit(value, unit):
        return False
    have, comparator = Decimal(str(value["value"])), value.get("comparator", "")
    infinity = Decimal("Infinity")
    low = -infinity if "<" in comparator else have
    high = infinity if ">" in comparator else have
    prefix, digits = (number[:2], number[2:]) if number[:2] in PREFIXES else ("eq", number)
    asked = Decimal(digits)
    half = Decimal(1).scaleb(int(asked.as_tuple().exponent)) / 2
    near = abs(asked) / 10
    return {
        "eq": low >= asked - half and high < asked + half,
        "ne": low < asked - half or high >= asked + half,
        "gt": high > asked,
        "ge": high >= asked,
        "lt": low < asked,
        "le": low <= asked,
        "sa": low > asked,
        "eb": high < asked,
        "ap": low <= asked + near and high >= asked - near,
    }[prefix]


def is_unit(value: Json, unit: list[str]) -> bool:
    if not unit or unit == ["", ""]:
        return True
    system, code = unit
    if system:
        return value.get("system") == system and code in {"", value.get("code")}
    return code in {value.get("code"), value.get("unit")}


def is_date(value: Json, wanted: str, now: datetime) -> bool:
    have = span(value)
    if have is None:
        return False
    prefix, text = (wanted[:2], wanted[2:]) if wanted[:2] in PREFIXES else ("eq", wanted)
    (low, high), (first, last) = have, moment(text)
    near = abs(micros(now) - first) // 10
    return {
        "eq": first <= low and high <= last,
        "ne": not (first <= low and high <= last),
        "gt": high > last,
        "lt": low < first,
        "ge": high > last or (first <= low and high <= last),
        "le": low < first or (first <= low and high <= last),
        "sa": low > last,
        "eb": high < first,
        "ap": low <= last + near and high >= first - near,
    }[prefix]


def span(value: Json) -> tuple[int, int] | None:
    if isinstance(value, str):
        return moment(value)
    if "event" in value or "repeat" in value:
        bounds = value.get("repeat", {}).get("boundsPeriod", {})
        spans = [s for s in map(span, [*value.get("event", ()), bounds]) if s]
        return (min(s[0] for s in spans), max(s[1] for s in spans)) if spans else None
    if "start" not in value and "end" not in value:
        return None
    low = moment(value["start"])[0] if "start" in value else NEVER
    return low, moment(value["end"])[1] if "end" in value else ALWAYS


PARTS = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d)?)?)?)?"
)


def moment(text: str) -> tuple[int, int]:
    found = PARTS.fullmatch(text)
    assert found, text
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    start = datetime(
        int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0),
        int(second or 0), int((fraction or "0")[:6].ljust(6, "0")), tzinfo=offset(zone),
    )  # fmt: skip
    if month is None:
        width = timedelta(days=365 + calendar.isleap(int(year)))
    elif day is None:
        width = timedelta(days=calendar.monthrange(int(year), int(month))[1])
    elif hour is None:
        width = timedelta(days=1)
    elif second is None:
        width = timedelta(minutes=1)
    else:
        width = timedelta(microseconds=10 ** (6 - min(6, len(fraction or ""))))
    return micros(start), micros(start) + width // timedelta(microseconds=1) - 1


def offset(zone: str | None) -> timezone:
    if zone in {None, "Z"}:
        return UTC
    hours, minutes = int(str(zone)[1:3]), int(str(zone)[4:6])
    return timezone(timedelta(hours=hours, minutes=minutes) * (-1 if str(zone)[0] == "-" else 1))


def micros(moment: datetime) -> int:
    return (moment - FIRST) // timedelta(microseconds=1)
