"""FHIR data types as plain dicts; what is empty is left out, since FHIR has no empty elements.

https://hl7.org/fhir/R4/datatypes.html
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fhir_mappings.codes import LANGUAGES, Code
from service.models import facts

Element = dict[str, Any]


def present(elements: Mapping[str, Any]) -> Element:
    """Return the elements that have content; texts lose the blanks around them."""
    trimmed = {k: v.strip() if isinstance(v, str) else v for k, v in elements.items()}
    return {k: v for k, v in trimmed.items() if v is not None and v not in ("", [], {})}


def texts(text: str | None) -> list[str]:
    """Return a repeating text with this one value, or none if that is blank."""
    return [text.strip()] if text and text.strip() else []


def instant(moment: datetime) -> str:
    """Return a moment in UTC, to the second unless it has a fraction."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def period(start: datetime | None, end: datetime | None = None) -> Element:
    return present(
        {"start": instant(start) if start else None, "end": instant(end) if end else None}
    )


def coding(code: Code) -> Element:
    return {"system": code.system, "code": code.code, "display": code.display}


def codeable_concept(code: Code, text: str | None = None) -> Element:
    return {"coding": [coding(code)], "text": text or code.display}


def language(tag: str) -> Element:
    return {"coding": [{"system": LANGUAGES, "code": tag}]}


def identifier(system: str, value: str, kind: Code | None = None) -> Element:
    return present(
        {"type": codeable_concept(kind) if kind else None, "system": system, "value": value}
    )


def human_name(family: str, given: str) -> Element:
    return present({"family": family, "given": texts(given)})


def address(parts: facts.Address) -> Element:
    return present(
        {
            "line": texts(parts.line),
            "city": parts.city,
            "state": parts.state,
            "postalCode": parts.postal_code,
            "country": parts.country,
        }
    )


def telecom(phone: str | None, email: str | None = None) -> list[Element]:
    found = (("phone", phone), ("email", email))
    return [{"system": system, "value": value} for system, many in found for value in texts(many)]


def as_list(element: Element) -> list[Element]:
    """Return a repeating element with this one value, or none if that is empty."""
    return [element] if element else []
