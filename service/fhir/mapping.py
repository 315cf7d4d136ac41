"""The contract that every file of `fhir_mappings` fulfils, and the registry of them.

https://hl7.org/fhir/R4/resourcelist.html
"""

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, Literal
from uuid import UUID

from service.identifiers import keyed_id
from service.models.connections import Confidentiality
from service.models.documents import PROGRAMME, PUBLIC
from service.models.facts import EVERYTHING, Disclosure

Resource = dict[str, Any]


class Owner(StrEnum):
    """Who may change a document (DESIGN section 2)."""

    PROGRAMME = "programme"
    CLIENT = "client"
    SHARED = "shared"


@dataclass(frozen=True)
class Audience:
    """Whom a document is for: the public, the programme, or one connection.

    `uid` never changes and is part of every id; `number` is the column of the document store.
    """

    number: int
    uid: str
    key: bytes = field(repr=False)
    connection_id: UUID | None = None
    mrn_system: str | None = None

    def id(self, resource_type: str, source: str) -> str:
        """Return the FHIR id of the document of this type made from this source."""
        return keyed_id(self.key, self.uid, resource_type, source)

    def reference(self, resource_type: str, source: str) -> Resource:
        """Return a literal reference within this audience."""
        return {"reference": f"{resource_type}/{self.id(resource_type, source)}"}

    @cached_property
    def public(self) -> "Audience":
        """The public audience, for references to what names nobody."""
        return Audience(number=PUBLIC, uid="public", key=self.key)

    @property
    def is_programme(self) -> bool:
        return self.number == PROGRAMME

    def keyed(self, *parts: str) -> str:
        """Return a pseudonym that no other audience shares, such as a session's identifier."""
        return keyed_id(self.key, self.uid, *parts)


ALL = Disclosure(
    categories=EVERYTHING,
    part2_categories=EVERYTHING,
    shows_group_name=True,
    shows_part2_group_name=True,
)


@dataclass(frozen=True)
class View:
    """One audience, and what it may have of the patient whose facts are rendered."""

    audience: Audience
    disclosure: Disclosure = ALL


@dataclass(frozen=True)
class Labels:
    """Security labels, https://hl7.org/fhir/R4/security-labels.html ."""

    confidentiality: Confidentiality = Confidentiality.NORMAL
    sensitivity: str | None = None
    part2: bool = False


@dataclass(frozen=True)
class Draft:
    """A resource as one audience shall read it, without id and meta, which the store adds.

    `source` is the key its id is made from. `members` holds a sender's bytes, member by member,
    where the document is kept lexically; then `resource` serves the search index only.
    """

    type: str
    source: str
    resource: Resource
    labels: Labels
    profiles: Sequence[str] = ()
    patient_id: UUID | None = None
    owner: Owner = Owner.PROGRAMME
    members: MappingOf[str, str] | None = None


ParameterType = Literal["token", "string", "date", "reference"]


@dataclass(frozen=True)
class SearchParameter:
    """A search parameter and the element it searches.

    `path` walks elements from the resource's root, arrays included, such as `code.coding`.
    `patient` and `subject` are served from the document's subject column, `date` from its
    date columns: at most one date parameter a type.
    """

    name: str
    type: ParameterType
    path: str
    definition: str = ""

    @cached_property
    def steps(self) -> tuple[str, ...]:
        """The path, element by element."""
        return tuple(self.path.split("."))


@dataclass(frozen=True)
class Mapping:
    """How one kind of source becomes documents of one resource type.

    `kind` names the source (`service.models.facts`); `render` yields no draft where the view
    may not have it. `revision` is raised by hand when the output for the same facts changes.
    """

    type: str
    kind: str
    render: Callable[[Any, View], Iterable[Draft]]
    revision: int = 1


@dataclass(frozen=True)
class ResourceType:
    """What is served of one resource type, by whichever mappings make its documents."""

    name: str
    parameters: tuple[SearchParameter, ...] = ()
    profiles: tuple[str, ...] = ()
    writable: bool = False
    patient_path: str | None = None
    current_only: bool = False
    documentation: str = ""
    owner: Owner = Owner.PROGRAMME


@dataclass(frozen=True)
class Registry:
    """All mappings and resource types; every session that writes is opened with one."""

    mappings: tuple[Mapping, ...]
    types: tuple[ResourceType, ...]

    @cached_property
    def by_kind(self) -> dict[str, tuple[Mapping, ...]]:
        kinds: dict[str, list[Mapping]] = {}
        for mapping in self.mappings:
            kinds.setdefault(mapping.kind, []).append(mapping)
        return {kind: tuple(found) for kind, found in kinds.items()}

    @cached_property
    def by_type(self) -> dict[str, ResourceType]:
        return {kind.name: kind for kind in self.types}
