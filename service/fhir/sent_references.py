"""The references of a resource that somebody sent: whom they lead to, and that they lead somewhere.

https://hl7.org/fhir/R4/references.html
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlmodel import Session as DbSession

from service.access import Access
from service.errors import InvalidElementsError, InvalidError, Problem
from service.fhir.identity import storage_id
from service.fhir.index_values import bounded
from service.fhir.mapping import Audience, ResourceType
from service.fhir.search_index import IndexRows
from service.fhir.statements import rows_of
from service.models.documents import PUBLIC

Json = dict[str, Any]

LOCAL = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?")
ABSOLUTE = re.compile(r"[a-z][a-z0-9+.\-]*:\S+", re.IGNORECASE)
CHUNK = 400
REFERS = "_refers"  # of an index row: the element is no search parameter
READABLE = (
    "SELECT id, type, patient_key, subject FROM documents WHERE audience IN (?, ?)"
    " AND id IN ({marks}) AND NOT deleted AND confidentiality <= ? AND purposes & ? <> 0"
)
SHARE_LOCK = " ORDER BY id FOR KEY SHARE"  # they may be changed meanwhile, but not deleted
BY_IDENTIFIER = (
    "SELECT d.id, d.patient_key FROM document_tokens t JOIN documents d ON d.number = t.document"
    " WHERE t.audience = ? AND t.type = 'Patient' AND t.param = 'identifier' AND t.system = ?"
    " AND t.code = ? AND NOT d.deleted AND d.confidentiality <= ? AND d.purposes & ? <> 0 LIMIT 2"
)


class Place(NamedTuple):
    """A document here: its type and the id it is stored under."""

    type: str
    id: str


class Person(NamedTuple):
    """Whom a document is about: the patient's key, and the id of the Patient it is about."""

    key: str
    subject: str


class Reference(NamedTuple):
    """A Reference of the resource: where it stands, as FHIRPath, and what it says."""

    expression: str
    value: Json


@dataclass(frozen=True)
class Addresses:
    """Which documents the addresses of one server lead to, for one audience."""

    base: str
    audience: Audience

    def locate(self, reference: str) -> Place | None:
        """Return the document that a relative address, or an absolute one of ours, leads to."""
        found = LOCAL.fullmatch(reference.removeprefix(self.base + "/"))
        return Place(found[1], storage_id(self.audience, *found.groups())) if found else None


def references(value: Any, path: str) -> Iterator[Reference]:  # noqa: ANN401 - JSON
    """Yield every Reference in the resource; what is contained in it is left out."""
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from references(item, f"{path}[{number}]")
    elif isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield Reference(path, value)
        for name, item in value.items():
            if name != "contained" and isinstance(item, dict | list):
                yield from references(item, f"{path}.{name}")


def local_places(value: Json, addresses: Addresses) -> dict[str, Place]:
    """Return the documents here that the resource refers to, by where the reference stands.

    Raises:
        InvalidElementsError: a reference is no address.
    """
    found, problems = {}, []
    for expression, reference in references(value, value["resourceType"]):
        text = reference["reference"]
        if text.startswith("#"):
            continue
        if place := addresses.locate(text):
            found[expression] = place
        elif text.startswith(("urn:uuid:", "urn:oid:")):
            rule = "a urn leads to an entry of the same transaction only"
            problems.append(Problem(expression, rule, "not-found"))
        elif not ABSOLUTE.fullmatch(text):
            rule = "must be Type/id, an absolute address, or # and the id of a contained resource"
            problems.append(Problem(expression, rule, "value"))
    if problems:
        raise InvalidElementsError(tuple(problems))
    return found


def unsearched(rows: IndexRows, places: Iterable[Place]) -> set[tuple[str, str, str]]:
    """Return index rows for those documents that no parameter leads to.

    A document that others refer to is not deleted, by whichever element they refer to it; Patients
    are never deleted.
    """
    found = {target for _, target, _ in rows.references}
    return {(REFERS, p.id, p.type) for p in places if p.type != "Patient" and p.id not in found}


Known = dict[Place, Person | None]


def known(session: DbSession, access: Access, places: set[Place]) -> Known:
    """Return those of the documents that the caller may see, with whom they are about.

    Until the commit nobody deletes them: on PostgreSQL their rows are locked, save those of
    Patients, which are not deleted by clients.
    """
    patients = {place.id for place in places if place.type == "Patient"}
    others = {place.id for place in places} - patients
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    return {
        **_readable(session, access, sorted(patients), ""),
        **_readable(session, access, sorted(others), "" if is_sqlite else SHARE_LOCK),
    }


def _readable(session: DbSession, access: Access, ids: list[str], lock: str) -> Known:
    found: Known = {}
    for start in range(0, len(ids), CHUNK):
        part = ids[start : start + CHUNK]
        sql = READABLE.replace("{marks}", ", ".join("?" * len(part))) + lock
        args = (access.audience, PUBLIC, *part, *access.limits)
        for one, kind, key, subject in rows_of(session, sql, args):
            found[Place(kind, one)] = None if key is None else Person(key, subject)
    return found


def require_known(places: Mapping[str, Place], there: Known) -> None:
    """Raise InvalidElementsError naming each reference that leads to nothing here."""
    problems = tuple(
        Problem(expression, f"there is no {place.type} with this id", "not-found")
        for expression, place in places.items()
        if place not in there
    )
    if problems:
        raise InvalidElementsError(problems)


def about(kind: ResourceType, value: Json, addresses: Addresses) -> Place | Json | None:
    """Return the Patient that the resource is about: where it is, or the identifier that names it.

    None stands for nobody, or for another kind of subject.
    """
    if kind.patient_path is None:
        return None
    nodes = [value]
    for name in kind.patient_path.split("."):
        nodes = [item for node in nodes for item in _items(node.get(name))]
    for node in nodes:
        text = node.get("reference")
        place = addresses.locate(text) if isinstance(text, str) else None
        if place is not None and (place.type == "Patient" or kind.name == "Provenance"):
            return place
        if text is None and node.get("type", "Patient") == "Patient" and "identifier" in node:
            identifier: Json = node["identifier"]
            return identifier
    return None


def _items(value: Any) -> list[Json]:  # noqa: ANN401 - JSON
    found = value if isinstance(value, list) else [value]
    return [item for item in found if isinstance(item, dict)]


def by_identifier(
    session: DbSession, access: Access, identifier: Json, *, element: str
) -> tuple[Place, Person]:
    """Return the caller's Patient that has this identifier, and who it is.

    Raises:
        InvalidError: there is none, or there are several.
    """
    asked = (bounded(identifier.get(name, "")) for name in ("system", "value"))
    found = rows_of(session, BY_IDENTIFIER, (access.audience, *asked, *access.limits))
    if len(found) != 1:
        many = "more than one" if found else "no"
        raise InvalidError(f"{many} Patient here has this identifier", element=element)
    ((document_id, key),) = found
    return Place("Patient", str(document_id)), Person(str(key), str(document_id))
