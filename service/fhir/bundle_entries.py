"""A Bundle that somebody sent: its entries, each with what it asks for and its resource's text.

https://hl7.org/fhir/R4/bundle.html
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from service.errors import BusinessRuleError, InvalidElementsError, InvalidError, Problem
from service.fhir.lexical import Lexical, LexicalError, parse_bundle
from service.fhir.search_parameters import MOST_PARAMETERS

MOST_ENTRIES = 1000
TYPES = ("batch", "transaction")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
WITH_RESOURCE = frozenset({"POST", "PUT", "PATCH"})
OF_BUNDLE = frozenset(
    {"resourceType", "id", "meta", "language", "identifier", "type", "timestamp", "link", "entry",
     "signature"}
)  # fmt: skip
OF_ENTRY = frozenset({"id", "extension", "link", "fullUrl", "resource", "request"})
OF_REQUEST = frozenset(
    {"id", "extension", "method", "url", "ifNoneMatch", "ifModifiedSince", "ifMatch",
     "ifNoneExist"}
)  # fmt: skip
FULL_URL = re.compile(r"(?:urn:(?:uuid|oid):|https?://)\S+")
ROOT = re.compile(r"(https?://\S+/)[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}")
ETAG = re.compile(r'(?:W/)?"([^"]+)"|(\*)')

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Entry:
    """One entry; `asked` is its request, `problems` why it cannot be carried out at all."""

    number: int
    full_url: str = ""
    asked: Mapping[str, str] = field(default_factory=dict)
    resource: Lexical | None = None
    text: str = ""
    problems: tuple[Problem, ...] = ()

    @property
    def path(self) -> str:
        return f"Bundle.entry[{self.number}]"

    @property
    def method(self) -> str:
        return self.asked.get("method", "")

    @property
    def is_read(self) -> bool:
        return self.method in {"GET", "HEAD"} and not self.problems

    @property
    def url(self) -> str:
        return self.asked.get("url", "")

    @property
    def root(self) -> str:
        """Return what its relative references are relative to, where its own address says so."""
        found = ROOT.fullmatch(self.full_url)
        return found[1] if found else ""

    def versions(self, name: str) -> frozenset[str] | None:
        """Return the versions that ifMatch names; None where it is not there.

        Raises:
            InvalidError: it is not an ETag.
        """
        if name not in self.asked:
            return None
        found = [ETAG.fullmatch(part.strip()) for part in self.asked[name].split(",")]
        if not all(found):
            raise InvalidError('must hold ETags such as W/"1"', element="If-Match")
        return frozenset(each[1] or each[2] for each in found if each)


@dataclass(frozen=True)
class SentBundle:
    """A batch or a transaction."""

    type: str
    entries: tuple[Entry, ...]


def read_bundle(body: bytes, base: str) -> SentBundle:
    """Return the Bundle; what is wrong with one entry is kept with the entry.

    Raises:
        InvalidError: it is no batch or transaction.
    """
    try:
        value = parse_bundle(body).value
    except LexicalError as error:
        problem = Problem(error.expression, error.message, "structure")
        raise InvalidElementsError((problem,)) from None
    _require_bundle(value)
    entries = value.get("entry", [])
    if not isinstance(entries, list) or ("entry" in value and not entries):
        raise InvalidError("must be an array that is not empty", element="Bundle.entry")
    if len(entries) > MOST_ENTRIES:
        rule = f"a Bundle may have {MOST_ENTRIES} entries"
        raise BusinessRuleError(rule, element="Bundle.entry")
    return SentBundle(
        value["type"], tuple(_entry(number, each, base) for number, each in enumerate(entries))
    )


def _require_bundle(value: Mapping[str, Any]) -> None:
    if value.get("resourceType") != "Bundle":
        raise InvalidError("must be Bundle", element="resourceType")
    if value.get("type") not in TYPES:
        raise InvalidError("must be batch or transaction", element="Bundle.type")
    if unknown := _unknown(value, OF_BUNDLE):
        raise InvalidElementsError(tuple(_not_here(f"Bundle.{name}") for name in unknown))


def _unknown(value: Mapping[str, Any], names: frozenset[str]) -> list[str]:
    return [name for name in value if name.removeprefix("_") not in names and name.isascii()]


def _not_here(element: str) -> Problem:
    return Problem(element, "this element is not taken in a batch or transaction", "structure")


def _entry(number: int, sent: object, base: str) -> Entry:
    """Return the entry with what is wrong with its envelope."""
    path = f"Bundle.entry[{number}]"
    if not isinstance(sent, Lexical):
        return Entry(number, problems=(Problem(path, "must be an object", "structure"),))
    value = sent.value
    problems = [_not_here(f"{path}.{name}") for name in _unknown(value, OF_ENTRY)]
    asked = _asked(value.get("request"), f"{path}.request", problems)
    full_url = value.get("fullUrl", "")
    if full_url != "" and not (isinstance(full_url, str) and FULL_URL.fullmatch(full_url)):
        rule = "must be urn:uuid:, urn:oid: or an absolute address"
        problems.append(Problem(f"{path}.fullUrl", rule, "value"))
        full_url = ""
    resource = value.get("resource")
    if not isinstance(resource, Lexical) and (resource or asked.get("method") in WITH_RESOURCE):
        problems.append(Problem(f"{path}.resource", "must be a resource", "required"))
        resource = None
    if "url" in asked:
        asked["url"] = asked["url"].removeprefix(base).removeprefix("/")
    text = sent.members.get("resource", "")
    return Entry(number, full_url, asked, resource, text, tuple(problems))


def _asked(request: object, path: str, problems: list[Problem]) -> dict[str, str]:
    """Return the request's elements, noting what is wrong with them."""
    if not isinstance(request, dict):
        problems.append(Problem(path, "must say the method and the url", "required"))
        return {}
    problems += [_not_here(f"{path}.{name}") for name in _unknown(request, OF_REQUEST)]
    found = {name: request[name] for name in OF_REQUEST - {"id", "extension"} if name in request}
    for name in sorted({"method", "url"} - found.keys()):
        problems.append(Problem(f"{path}.{name}", "must be there", "required"))
    for name in [name for name, value in found.items() if not isinstance(value, str)]:
        problems.append(Problem(f"{path}.{name}", "must be a string", "structure"))
        del found[name]
    if found.get("method", "GET") not in METHODS:
        rule = f"must be one of {', '.join(sorted(METHODS))}"
        problems.append(Problem(f"{path}.method", rule, "code-invalid"))
    return found


def condition(query: str) -> list[tuple[str, str]]:
    """Return the parameters of a search that says which resource is meant.

    Raises:
        InvalidError: there are too many, or none.
    """
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=MOST_PARAMETERS + 1)
    except ValueError:
        raise InvalidError(f"more than {MOST_PARAMETERS} parameters", element="condition") from None
    if not pairs:
        raise InvalidError("must be a search that says which resource", element="condition")
    return pairs
