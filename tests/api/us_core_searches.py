"""The searches that US Core 6.1 and 7.0 ask of the types served here, and what they must find.

The second is a reading of R4's rules that shares nothing with the service.
https://hl7.org/fhir/R4/search.html
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]
Asked = list[tuple[str, str]]
Range = tuple[datetime, datetime]

# SHALL of 6.1 or 7.0 first in each row, then SHOULD.
SEARCHES: dict[str, tuple[str, ...]] = {
    "Patient": (
        "_id", "identifier", "name", "birthdate+name", "gender+name",
        "birthdate+family", "family+gender", "death-date+family",
    ),
    "Observation": (
        "patient+category", "patient+code", "patient+category+date",
        "patient+code+date", "patient+category+status", "patient+category+_lastUpdated",
    ),
    "QuestionnaireResponse": (
        "patient", "_id", "patient+questionnaire", "patient+authored", "patient+status",
    ),
    "ServiceRequest": (
        "patient", "_id", "patient+category", "patient+code", "patient+category+authored",
        "patient+status", "patient+code+authored",
    ),
    "Encounter": (
        "patient", "_id", "date+patient", "identifier", "patient+type", "class+patient",
        "patient+status", "patient+location", "patient+discharge-disposition",
        "patient+_lastUpdated",
    ),
    "CareTeam": ("patient+status", "role", "patient+role"),
    "CarePlan": (
        "patient+category", "patient+category+status", "patient+category+date",
        "patient+category+status+date",
    ),
    "Practitioner": ("name", "identifier", "_id"),
    "PractitionerRole": ("practitioner", "specialty"),
    "Organization": ("name", "address"),
    "Location": ("name", "address", "address-city", "address-postalcode", "address-state"),
    "RelatedPerson": ("_id", "patient", "name", "patient+name"),
    "Condition": (
        "patient", "patient+category", "patient+category+clinical-status",
        "patient+clinical-status", "patient+code", "patient+onset-date", "patient+recorded-date",
        "patient+abatement-date", "patient+asserted-date", "patient+category+encounter",
        "patient+_lastUpdated",
    ),
    "Goal": ("patient", "patient+lifecycle-status", "patient+description", "patient+target-date"),
    "DocumentReference": (
        "patient", "_id", "patient+type", "patient+category", "patient+category+date",
        "patient+status", "patient+type+period",
    ),
}  # fmt: skip

ASSERTED = "http://hl7.org/fhir/StructureDefinition/condition-assertedDate"

# Where a parameter's values are. What is not named here is the element of the same name.
ELEMENTS: dict[str, dict[str, str]] = {
    "Patient": {
        "family": "name.family",
        "birthdate": "birthDate",
        "death-date": "deceasedDateTime",
    },
    "Observation": {"patient": "subject", "date": "effectiveDateTime,effectivePeriod"},
    "QuestionnaireResponse": {"patient": "subject"},
    "ServiceRequest": {"patient": "subject", "authored": "authoredOn"},
    "Encounter": {
        "patient": "subject",
        "date": "period",
        "location": "location.location",
        "discharge-disposition": "hospitalization.dischargeDisposition",
    },
    "CareTeam": {"patient": "subject", "role": "participant.role"},
    "CarePlan": {"patient": "subject", "date": "period"},
    "Practitioner": {},
    "PractitionerRole": {},
    "Organization": {},
    "Location": {
        "address-city": "address.city",
        "address-postalcode": "address.postalCode",
        "address-state": "address.state",
    },
    "RelatedPerson": {},
    "Condition": {
        "patient": "subject",
        "clinical-status": "clinicalStatus",
        "onset-date": "onsetDateTime,onsetPeriod",
        "recorded-date": "recordedDate",
        "abatement-date": "abatementDateTime,abatementPeriod",
    },
    "Goal": {
        "patient": "subject",
        "lifecycle-status": "lifecycleStatus",
        "target-date": "target.dueDate",
    },
    "DocumentReference": {"patient": "subject", "period": "context.period"},
}

DATES = frozenset(
    ["date", "authored", "birthdate", "death-date", "onset-date", "recorded-date",
     "abatement-date", "asserted-date", "target-date", "period"]
)  # fmt: skip
STRINGS = frozenset(
    ["name", "family", "address", "address-city", "address-postalcode", "address-state"]
)
REFERENCES = frozenset(["patient", "practitioner", "encounter", "location"])
STATUSES = frozenset(["status", "lifecycle-status", "clinical-status"])
PREFIXES = ("", "gt", "ge", "lt", "le")
COMMON = {"_id": "id", "_lastUpdated": "meta.lastUpdated"}


def values(resource: Json, name: str, parameter: str) -> list[Any]:
    """The values of the elements that a parameter is about."""
    if parameter == "asserted-date":
        found = [e for e in resource.get("extension", []) if e["url"] == ASSERTED]
        return [each["valueDateTime"] for each in found]
    default = COMMON.get(parameter, parameter)
    paths = ELEMENTS[name].get(parameter, default).split(",")
    return [value for path in paths for value in _at(resource, path)]


def _at(resource: Json, path: str) -> list[Any]:
    nodes: list[Any] = [resource]
    for step in path.split("."):
        found = [node[step] for node in nodes if isinstance(node, dict) and step in node]
        nodes = [item for each in found for item in (each if isinstance(each, list) else [each])]
    return nodes


def questions(made: list[Json], name: str, search: str) -> Iterator[Asked]:
    """Searches with the values of each resource in turn, in all the ways to spell them."""
    parameters, seen = search.split("+"), set()
    for resource in made:
        told = [[*_spelt(resource, name, each)] for each in parameters]
        widest = max(map(len, told)) if all(told) else 0
        for number in range(widest):
            asked = [
                (parameter, ways[number % len(ways)])
                for parameter, ways in zip(parameters, told, strict=True)
            ]
            if tuple(asked) not in seen and any(expected(one, name, asked) for one in made):
                seen.add(tuple(asked))
                yield asked


def _spelt(resource: Json, name: str, parameter: str) -> Iterator[str]:
    if parameter == "_lastUpdated":
        yield from ("ge2026-01-01", "lt2999-01-01")
        return
    for value in values(resource, name, parameter):
        if parameter in DATES:
            yield from _dates(value)
        elif parameter in STRINGS:
            yield from (part[:4].upper() for part in _strings(value) if "," not in part[:4])
        elif parameter in REFERENCES:
            yield value["reference"].rpartition("/")[2]
        else:
            yield from _tokens_spelt(parameter, value)


def _dates(value: Any) -> Iterator[str]:
    text = value if isinstance(value, str) else value.get("start", value.get("end"))
    yield from (prefix + text for prefix in PREFIXES)
    yield from (prefix + text[:10] for prefix in PREFIXES)


def _tokens_spelt(parameter: str, value: Any) -> Iterator[str]:
    for system, code in _tokens(value):
        if code:
            yield code
            yield f"{system}|{code}" if system else code
            if parameter in STATUSES:
                yield f"entered-in-error,{code}"


def expected(resource: Json, name: str, question: Asked) -> bool:
    """Tell whether R4 says that the resource is found."""
    return all(
        any(_fulfils(value, parameter, one) for value in values(resource, name, parameter))
        for parameter, text in question
        for one in [text]
    )


def _fulfils(value: Any, parameter: str, text: str) -> bool:
    if parameter in DATES or parameter == "_lastUpdated":
        return _is_dated(value, text)
    if parameter in STRINGS:
        return any(part.lower().startswith(text.lower()) for part in _strings(value))
    if parameter in REFERENCES:
        return bool(value.get("reference", "").rpartition("/")[2] == text.rpartition("/")[2])
    return any(_is_coded(value, one) for one in text.split(","))


def _is_coded(value: Any, text: str) -> bool:
    if "|" not in text or isinstance(value, str):
        return any(code == text for _, code in _tokens(value))
    return tuple(text.split("|")) in set(_tokens(value))


def _tokens(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield "", value
    elif "coding" in value:
        for coding in value["coding"]:
            yield coding.get("system", ""), coding.get("code", "")
    elif "code" in value or "value" in value:
        yield value.get("system", ""), value.get("code", value.get("value", ""))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
        return
    for part in ("family", "given", "text", "prefix", "suffix", "line", "city", "district",
                 "state", "postalCode", "country"):  # fmt: skip
        found = value.get(part, [])
        yield from [found] if isinstance(found, str) else found


def _is_dated(value: Any, text: str) -> bool:
    prefix = text[:2] if text[:2].isalpha() else "eq"
    low, high = _range(text.removeprefix(prefix))
    start, end = _of(value)
    within = low <= start and end <= high
    rules: dict[str, Callable[[], bool]] = {
        "eq": lambda: within,
        "gt": lambda: end > high,
        "ge": lambda: end > high or within,
        "lt": lambda: start < low,
        "le": lambda: start < low or within,
    }
    return rules[prefix]()


def _of(value: Any) -> Range:
    if isinstance(value, str):
        return _range(value)
    first = _range(value["start"])[0] if "start" in value else datetime.min.replace(tzinfo=UTC)
    last = _range(value["end"])[1] if "end" in value else datetime.max.replace(tzinfo=UTC)
    return first, last


def _range(text: str) -> Range:
    if len(text) == 4:
        return _day(int(text), 1, 1), _day(int(text) + 1, 1, 1) - timedelta(microseconds=1)
    if len(text) == 7:
        year, month = int(text[:4]), int(text[5:])
        after = _day(year + month // 12, month % 12 + 1, 1)
        return _day(year, month, 1), after - timedelta(microseconds=1)
    if len(text) == 10:
        start = datetime.fromisoformat(text).replace(tzinfo=UTC)
        return start, start + timedelta(days=1, microseconds=-1)
    start = datetime.fromisoformat(text)
    start = start if start.tzinfo else start.replace(tzinfo=UTC)
    fraction = text[20:].rstrip("Z").split("+")[0].split("-")[0] if text[19:20] == "." else ""
    width = timedelta(microseconds=10 ** (6 - len(fraction[:6])))
    return start, start + width - timedelta(microseconds=1)


def _day(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)
