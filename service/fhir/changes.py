"""Writes as they were asked for: read, checked and addressed before any lock is taken.

https://hl7.org/fhir/R4/http.html#create
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Any
from uuid import UUID
from zlib import crc32

from service.access import Access
from service.errors import (
    InvalidElementsError,
    InvalidError,
    NotFoundError,
    NotSupportedError,
    Problem,
)
from service.fhir.endpoint import Endpoint, Writing, absent
from service.fhir.identity import ID, caller_audience, chosen_source, is_given, storage_id
from service.fhir.lexical import Lexical
from service.fhir.mapping import Audience, Owner, ResourceType
from service.fhir.sent_references import Addresses, Place, local_places
from service.fhir.submission import read_resource, writable
from service.identifiers import new_id
from service.models.aggregates import Aggregate

LOCKS = 256
PATIENT = "Patient"
GROUP = "Group"
CONSENT = "Consent"
RESPONSE = "QuestionnaireResponse"


class Verb(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    PATCH = "patch"
    DELETE = "delete"


@dataclass(frozen=True)
class Sender:
    """Who writes, and what is needed to write for it."""

    endpoint: Endpoint
    writing: Writing
    access: Access

    @cached_property
    def audience(self) -> Audience:
        return caller_audience(self.endpoint.key, self.access)

    @cached_property
    def addresses(self) -> Addresses:
        return Addresses(self.endpoint.base, self.audience)


Edit = Callable[[Lexical], Lexical]


@dataclass(frozen=True)
class Change:
    """One write. `place` is what it writes to; `shown` its id as the client knows it.

    `source` and `key` are those of a document that is made by it; `places` are the documents here
    that the resource refers to. `edit` makes a patch's resource of the current one. `number` is
    that of the Bundle's entry which it comes from. `is_new` tells that nothing may be there yet.
    `letter` is the one of a scope that lets it be.
    """

    verb: Verb
    kind: ResourceType
    place: Place
    shown: str
    source: str = ""
    body: bytes = b""
    lexical: Lexical | None = None
    places: Mapping[str, Place] = field(default_factory=dict)
    if_match: frozenset[str] | None = None
    edit: Edit | None = None
    number: int = 0
    is_new: bool = False
    letter: str = "u"

    @property
    def uid(self) -> UUID:
        """The id of the row that is made, which its source ends with."""
        return UUID(self.source.rpartition(":")[2])

    @property
    def reference(self) -> str:
        return f"{self.kind.name}/{self.shown}"


def creation(sender: Sender, name: str, body: bytes, letter: str = "c") -> Change:
    """Return the create of this resource, under a new id; an update may come to one, too."""
    kind = writable(sender.endpoint, sender.access, name, letter)
    lexical = read_resource(sender.writing, name, body)
    return located(sender, new(sender, kind, lexical, body, letter=letter))


def new(
    sender: Sender, kind: ResourceType, lexical: Lexical, body: bytes, *, letter: str = "c"
) -> Change:
    """Return the create of a resource that may not be checked yet."""
    source = f"{_source_kind(sender, kind.name, lexical)}:{new_id().hex}"
    document_id = sender.audience.id(kind.name, source)
    place = Place(kind.name, document_id)
    return Change(Verb.CREATE, kind, place, document_id, source, body, lexical, letter=letter)


def _source_kind(sender: Sender, name: str, lexical: Lexical) -> str:
    if name == PATIENT:
        if sender.access.connection_id is None:
            raise NotSupportedError("the programme registers people at /v1/patients")
        return "patient"
    if name == RESPONSE and sender.writing.recognises(lexical.value):
        return "response"
    return "sent"


def updating(
    sender: Sender, address: tuple[str, str], body: bytes, if_match: frozenset[str] | None = None
) -> Change:
    """Return the update of the resource at this address."""
    name, shown = address
    kind = writable(sender.endpoint, sender.access, name, "u")
    lexical = read_resource(sender.writing, name, body)
    change = replacement(sender, kind, shown, lexical, body)
    return located(sender, replace(change, if_match=if_match))


def replacement(
    sender: Sender, kind: ResourceType, shown: str, lexical: Lexical, body: bytes
) -> Change:
    """Return the update by a resource that may not be checked yet."""
    if lexical.value.get("id") != shown:
        raise InvalidError("must be the id of the address", element=f"{kind.name}.id")
    place = place_of(sender, kind.name, shown)
    return Change(Verb.UPDATE, kind, place, shown, chosen_source(shown), body, lexical)


def patching(
    sender: Sender, address: tuple[str, str], edit: Edit, if_match: frozenset[str] | None = None
) -> Change:
    """Return the patch of the resource at this address."""
    name, shown = address
    kind = writable(sender.endpoint, sender.access, name, "u")
    place = place_of(sender, name, shown)
    return Change(Verb.PATCH, kind, place, shown, if_match=if_match, edit=edit)


def deletion(
    sender: Sender, address: tuple[str, str], if_match: frozenset[str] | None = None
) -> Change:
    """Return the delete of the resource at this address."""
    name, shown = address
    kind = writable(sender.endpoint, sender.access, name, "d")
    place = place_of(sender, name, shown)
    return Change(Verb.DELETE, kind, place, shown, if_match=if_match, letter="d")


def located(sender: Sender, change: Change) -> Change:
    """Return the change with the documents here that its resource refers to."""
    if change.lexical is None:
        return change
    places = local_places(change.lexical.value, sender.addresses)
    if change.kind.name == GROUP:
        _require_own_members(change.lexical.value, places)
    return replace(change, places=places)


def _require_own_members(value: Mapping[str, Any], places: Mapping[str, Place]) -> None:
    """Refuse a Group of others than the sender's Patients, whom it would name to whoever reads."""
    problems = tuple(
        Problem(element, "must be a Patient here, by its address", "business-rule")
        for number in range(len(value.get("member", ())))
        if (found := places.get(element := f"{GROUP}.member[{number}].entity")) is None
        or found.type != PATIENT
    )
    if problems:
        raise InvalidElementsError(problems)


def place_of(sender: Sender, name: str, shown: str) -> Place:
    """Return where a document is stored, or raise NotFoundError for what is no id."""
    if not ID.fullmatch(shown):
        raise absent(name)
    return Place(name, storage_id(sender.audience, name, shown))


def may_be_made(change: Change) -> bool:
    """Tell whether an update may make the document: its client chose the id, and owns the type."""
    return change.kind.owner is Owner.CLIENT and not is_given(change.shown)


def shared_lock(sender: Sender, asked: str) -> Aggregate:
    """Return a lock that all of an audience share who ask for the same.

    There are few, so that a transaction of many entries does not fill PostgreSQL's table of locks;
    who asks for other things may wait, too.
    """
    return Aggregate("asked", f"{sender.access.audience}:{crc32(asked.encode()) % LOCKS}")


def missing(change: Change) -> NotFoundError:
    """Return why an update of what is not there is refused."""
    if change.kind.owner is Owner.CLIENT and is_given(change.shown):
        name = change.kind.name
        return NotFoundError(f"there is no {name} with this id, which is of a form only given here")
    return absent(change.kind.name)
