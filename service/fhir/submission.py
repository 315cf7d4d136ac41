"""A resource that somebody sent: read strictly, checked, its subject resolved.

https://hl7.org/fhir/R4/http.html#create
"""

from dataclasses import dataclass

from sqlmodel import Session as DbSession

from service.access import Access
from service.errors import (
    ForbiddenError,
    InvalidElementsError,
    InvalidError,
    Problem,
)
from service.fhir.endpoint import Endpoint, Writing, require, served
from service.fhir.lexical import Lexical, LexicalError, parse
from service.fhir.mapping import Registry, ResourceType
from service.fhir.outcome import Outcome, issue, outcome
from service.fhir.statements import rows_of

WRITTEN = (
    "SELECT version, last_updated, content, source, patient_key FROM documents WHERE id = ?"
    " AND type = ? AND audience = ? AND NOT deleted AND confidentiality <= ? AND purposes & ? <> 0"
)


@dataclass(frozen=True, slots=True)
class Written:
    """A document that the caller may see, as a write finds or leaves it."""

    version: int
    last_updated: int
    content: bytes
    source: str
    patient_key: str | None


def writable(endpoint: Endpoint, access: Access, name: str, letter: str) -> ResourceType:
    """Return the type if this caller may write it.

    Raises:
        ForbiddenError: the programme owns it, or the token does not grant it.
    """
    kind = require_writable(endpoint.registry, name)
    require(access, name, letter)
    return kind


def require_writable(registry: Registry, name: str) -> ResourceType:
    """Return the type if others than the programme may write it."""
    kind = served(registry, name)
    if not kind.writable:
        raise owned_by_programme(name)
    return kind


def owned_by_programme(name: str) -> ForbiddenError:
    return ForbiddenError(f"the owner of this {name} is `programme`; only it may write it")


def read_resource(writing: Writing, name: str, body: bytes) -> Lexical:
    """Return the resource.

    Raises:
        InvalidError: it is not JSON, another type, or breaks rules, each of which is named.
    """
    try:
        lexical = parse(body)
    except LexicalError as error:
        problem = Problem(error.expression, error.message, "structure")
        raise InvalidElementsError((problem,)) from None
    return checked(writing, name, lexical)


def checked(writing: Writing, name: str, lexical: Lexical) -> Lexical:
    """Return the resource, or raise InvalidError naming each rule that it breaks."""
    if lexical.value.get("resourceType") != name:
        raise InvalidError(f"must be {name}, as the address says", element="resourceType")
    broken = tuple(
        Problem(found.expression, found.diagnostics, found.code)
        for found in writing.validate(lexical.value)
        if found.severity in {"fatal", "error"}
    )
    if broken:
        raise InvalidElementsError(broken)
    return lexical


def written(session: DbSession, access: Access, name: str, document_id: str) -> Written | None:
    """Return the caller's document, or None where there is none that it may see."""
    found = rows_of(session, WRITTEN, (document_id, name, access.audience, *access.limits))
    return Written(*found[0]) if found else None


def crisis(text: str) -> Outcome:
    """Return the warning that a safety rule asks for, whatever the caller preferred to get."""
    return outcome(issue("warning", "business-rule", text))


def recorded(text: str) -> Outcome:
    return outcome(issue("information", "informational", text))
