"""The contract that every file of `fhir_mappings` fulfils, and the registry of them.

https://hl7.org/fhir/R4/resourcelist.html
"""

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Any, Literal
from uuid import UUID

from service.disclosures import UNLIMITED, Disclosure
from service.identifiers import keyed_id
from service.models.connections import Confidentiality
from service.models.consents import Category
from service.models.documents import PROGRAMME, PUBLIC
from service.models.facts import GroupFacts
from service.models.purposes import TREATMENT_ONLY
from service.weighing import Content

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
    `known` has the ids of Patients by their source that this audience knows by another record's,
    which was merged into theirs (ADR 0028).
    """

    number: int
    uid: str
    key: bytes = field(repr=False)
    connection_id: UUID | None = None
    mrn_system: str | None = None
    known: MappingOf[str, str] = field(default_factory=dict, repr=False, compare=False)

    def id(self, resource_type: str, source: str) -> str:
        """Return the FHIR id of the document of this type made from this source."""
        if resource_type == "Patient" and source in self.known:
            return self.known[source]
        return keyed_id(self.key, self.uid, resource_type, source)

    def knowing(self, patient_key: str, shown: str) -> "Audience":
        """Return this audience, which knows the patient by the Patient of this id."""
        return replace(self, known={f"patient:{patient_key}": shown})

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


ALL = UNLIMITED


@dataclass(frozen=True)
class Labels:
    """Security labels, https://hl7.org/fhir/R4/security-labels.html .

    Several sensitivities stand beside each other with a space, as of a form with several.
    """

    confidentiality: Confidentiality = Confidentiality.NORMAL
    sensitivity: str | None = None
    part2: bool = False


@dataclass(frozen=True)
class View:
    """One audience, and what it may have of the patient whose facts are rendered."""

    audience: Audience
    disclosure: Disclosure = ALL

    def purposes(self, category: Category, labels: Labels) -> int:
        """Return for which purposes it may have a fact of this kind that bears these labels."""
        return self.disclosure.purposes(_content(category, labels))

    def names_group(self, labels: Labels, purposes: int) -> bool:
        """Tell whether it may be told which group it is, for every one of these purposes."""
        content = _content(Category.ENROLLMENT, labels)._replace(names_group=True)
        return not purposes & ~self.disclosure.purposes(content)

    def anything(self) -> int:
        """Return for which purposes it may have anything of the patient."""
        return self.disclosure.anything()


def _content(category: Category, labels: Labels) -> Content:
    return Content(category, labels.part2, labels.confidentiality.value, labels.sensitivity)


@dataclass(frozen=True)
class Draft:
    """A resource as one audience shall read it, without id and meta, which the store adds.

    `source` is the key its id is made from. `members` holds a sender's bytes, member by member,
    where the document is kept lexically; then `resource` serves the search index only, and `meta`
    holds what the sender said there. `chosen_id` is an id that a client gave (ADR 0010).
    `purposes` are those for which a hospital may have it; what says none is for treatment.
    `past_is_sealed` tells that its reader may have no older version, since these said more.
    """

    type: str
    source: str
    resource: Resource
    labels: Labels
    profiles: Sequence[str] = ()
    patient_id: UUID | None = None
    owner: Owner = Owner.PROGRAMME
    members: MappingOf[str, str] | None = None
    meta: MappingOf[str, Any] = field(default_factory=dict)
    chosen_id: str | None = None
    purposes: int = TREATMENT_ONLY
    past_is_sealed: bool = False


ParameterType = Literal[
    "token", "string", "date", "reference", "number", "quantity", "uri", "composite"
]


@dataclass(frozen=True)
class SearchParameter:
    """A search parameter of one type.

    `expression` is the part of the official FHIRPath that is about this type; `definition` the
    canonical address of the SearchParameter; `targets` the types that a reference may lead to;
    `components` the parameters of the same type that a composite joins.
    """

    name: str
    type: ParameterType
    expression: str
    definition: str = ""
    targets: tuple[str, ...] = ()
    components: tuple[str, ...] = ()


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
    """What is served of one resource type, by whichever mappings make its documents.

    `date` names the date parameter that is kept in the document's own columns, by which pages are
    walked in order; the other dates have rows of their own. `patient_path` leads to the reference
    to the Patient that the resource is about. `owner` is that of what a client sends: SHARED or
    CLIENT where it may send it.
    """

    name: str
    parameters: tuple[SearchParameter, ...] = ()
    profiles: tuple[str, ...] = ()
    date: str | None = None
    patient_path: str | None = None
    current_only: bool = False
    documentation: str = ""
    owner: Owner = Owner.PROGRAMME

    @property
    def writable(self) -> bool:
        """Whether a client may send it."""
        return self.owner is not Owner.PROGRAMME

    @cached_property
    def by_name(self) -> dict[str, SearchParameter]:
        return {parameter.name: parameter for parameter in self.parameters}


@dataclass(frozen=True)
class Forms:
    """What shorter forms of a resource keep: `always` these, and in a summary those too.

    `summary` has for each element 1, or the elements that a backbone element keeps.
    """

    always: frozenset[str] = frozenset()
    summary: MappingOf[str, Any] = field(default_factory=dict)


def mandatory_only(_name: str) -> Forms:
    return Forms()


def unlabelled(_group: GroupFacts) -> Labels:
    return Labels()


@dataclass(frozen=True)
class Registry:
    """All mappings and resource types; every session that writes is opened with one.

    `value_sets` has the codes, as (system, code), of each value set that is carried, by its
    canonical address. `forms` tells what shorter forms of a type keep, and `membership` how it is
    labelled that somebody belongs to a group.
    """

    mappings: tuple[Mapping, ...]
    types: tuple[ResourceType, ...]
    value_sets: MappingOf[str, frozenset[tuple[str, str]]] = field(default_factory=dict)
    forms: Callable[[str], Forms] = mandatory_only
    membership: Callable[[GroupFacts], Labels] = unlabelled

    @cached_property
    def by_kind(self) -> dict[str, tuple[Mapping, ...]]:
        kinds: dict[str, list[Mapping]] = {}
        for mapping in self.mappings:
            kinds.setdefault(mapping.kind, []).append(mapping)
        return {kind: tuple(found) for kind, found in kinds.items()}

    @cached_property
    def revisions(self) -> dict[tuple[str, str], int]:
        """Return the highest revision of the mappings of each type from each kind of source."""
        found: dict[tuple[str, str], int] = {}
        for each in self.mappings:
            found[each.type, each.kind] = max(each.revision, found.get((each.type, each.kind), 0))
        return found

    @cached_property
    def by_type(self) -> dict[str, ResourceType]:
        return {kind.name: kind for kind in self.types}
