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
    NotSupportedError,
    Problem,
)
from service.fhir.endpoint import Endpoint, Writing, require, served
from service.fhir.lexical import Lexical, LexicalError, parse
from service.fhir.mapping import Owner, ResourceType
from service.fhir.outcome import Outcome, issue, outcome
from service.models.aggregates import Aggregate

PATIENT = (
    "SELECT patient_key FROM documents WHERE id = ? AND type = 'Patient' AND audience = ?"
    " AND NOT deleted AND confidentiality <= ?"
)
WRITTEN = (
    "SELECT version, last_updated, content, source, patient_key FROM documents WHERE id = ?"
    " AND type = ? AND audience = ? AND NOT deleted AND confidentiality <= ?"
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
        NotSupportedError: it is not written here yet.
    """
    kind = served(endpoint.registry, name)
    if kind.writable:
        require(access, name, letter)
        return kind
    if kind.owner is Owner.PROGRAMME:
        raise owned_by_programme(name)
    verb = "create" if letter == "c" else "update"
    raise NotSupportedError(f"{verb} of {name} is not offered here")


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


def subject_key(session: DbSession, endpoint: Endpoint, access: Access, lexical: Lexical) -> str:
    """Return the key of the patient whom the resource is about.

    Raises:
        InvalidError: the reference does not name a Patient that the caller may see.
    """
    element = f"{lexical.value['resourceType']}.subject"
    subject = lexical.value.get("subject")
    reference = subject.get("reference") if isinstance(subject, dict) else None
    if not isinstance(reference, str):
        raise InvalidError("must refer to a Patient, as Patient/[id]", element=element)
    kind, _, document_id = reference.removeprefix(endpoint.base + "/").partition("/")
    if kind == "Patient" and document_id.isalnum():
        args = (document_id, access.audience, access.ceiling)
        if row := first(session, PATIENT, args):
            return str(row[0])
    raise InvalidError("must refer to a Patient that can be read here", element=element)


def first(session: DbSession, sql: str, args: tuple[object, ...]) -> tuple[object, ...] | None:
    """Return the first row of a SELECT with `?` for its arguments."""
    connection = session.connection()
    text = sql if connection.dialect.name == "sqlite" else sql.replace("?", "%s")
    row = connection.exec_driver_sql(text, args).first()
    return None if row is None else tuple(row)


def written(session: DbSession, access: Access, name: str, document_id: str) -> Written | None:
    """Return the caller's document, or None where there is none that it may see."""
    row = first(session, WRITTEN, (document_id, name, access.audience, access.ceiling))
    return None if row is None else Written(*row)  # type: ignore[arg-type]


def patient_lock(patient_key: str) -> Aggregate:
    return Aggregate("patient", patient_key)


def crisis(text: str) -> Outcome:
    """Return the warning that a safety rule asks for, whatever the caller preferred to get."""
    return outcome(issue("warning", "business-rule", text))


def recorded(text: str) -> Outcome:
    return outcome(issue("information", "informational", text))
