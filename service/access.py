"""Who is calling and what they may do: a value that search compiles into SQL (DESIGN section 3).

Scopes granted here are `system/...` of SMART (`service.scopes`); for `/v1` they are plain names.
https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

from dataclasses import dataclass, field
from functools import cached_property
from uuid import UUID

from service.errors import ValueSetError
from service.models.documents import PROGRAMME, PUBLIC
from service.scopes import SYSTEM, Query, Scope, read_scope, within

V1_SCOPES = frozenset({"v1.read", "v1.write", "v1.coordinate", "v1.admin"})
NO_LAUNCH = "only system/ is granted here: patient/ and user/ take a launch, which there is not"


def is_scope(text: str) -> bool:
    """Return whether `text` is a scope that can be granted here."""
    try:
        require_scope(text)
    except ValueSetError:
        return False
    return True


def require_scope(text: str) -> Scope | None:
    """Return the scope, None where it is one of `/v1`.

    Raises:
        ValueSetError: it is none that can be granted here.
    """
    if text in V1_SCOPES:
        return None
    found = read_scope(text)
    if found.context != SYSTEM:
        raise ValueSetError(NO_LAUNCH, element="scope")
    return found


@dataclass(frozen=True)
class Scopes:
    """What was granted, as letters by resource type; `*` stands for every type."""

    text: str

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(self.text.split())

    @cached_property
    def parsed(self) -> tuple[Scope, ...]:
        """Return the scopes of FHIR; what is none gives nothing."""
        found = (require_scope(name) for name in sorted(self.names) if is_scope(name))
        return tuple(scope for scope in found if scope is not None)

    @cached_property
    def letters(self) -> dict[str, frozenset[str]]:
        """Return the letters by type, though they may be granted on some resources only."""
        found: dict[str, set[str]] = {}
        for scope in self.parsed:
            found.setdefault(scope.type, set()).update(scope.letters)
        return {kind: frozenset(letters) for kind, letters in found.items()}

    @cached_property
    def is_granular(self) -> bool:
        """Return whether some letters are granted on some resources of a type only."""
        return any(scope.query for scope in self.parsed)

    def allows(self, resource_type: str, letter: str) -> bool:
        """Return whether `letter` (c, r, u, d or s) is granted on this type."""
        everywhere = self.letters.get("*", frozenset())
        return letter in everywhere or letter in self.letters.get(resource_type, frozenset())

    def queries(self, resource_type: str, letters: str) -> frozenset[Query] | None:
        """Return of which queries a resource must fulfil one to be granted one of the letters.

        None stands for every resource of the type, and no query at all for none of them.
        """
        found = frozenset(
            scope.query
            for scope in self.parsed
            if scope.concerns(resource_type) and not scope.letters.isdisjoint(letters)
        )
        return None if any(not query for query in found) else found

    def within(self, allowed: "Scopes") -> bool:
        """Return whether every scope here is covered by `allowed`."""
        plain = all(name in allowed.names for name in self.names & V1_SCOPES)
        return plain and within(self.parsed, allowed.parsed)


@dataclass(frozen=True, kw_only=True)
class Access:
    """One caller: its audience, ceiling of confidentiality, roster role and scopes."""

    client_id: UUID
    client: str
    audience: int
    connection_id: UUID | None
    ceiling: int
    roster_role: bool
    scopes: Scopes = field(repr=False)

    @property
    def audiences(self) -> tuple[int, int]:
        """Return the audiences whose documents the caller may read."""
        return self.audience, PUBLIC

    @property
    def is_programme(self) -> bool:
        return self.audience == PROGRAMME

    def may(self, resource_type: str, letter: str) -> bool:
        """Return whether the caller may do this; a roster also takes the roster role.

        It may be granted on some resources of the type only, which `queries` tells.
        """
        if resource_type == "Group" and not self.roster_role:
            return False
        return self.scopes.allows(resource_type, letter)

    def queries(self, resource_type: str, letters: str) -> frozenset[Query] | None:
        """Return the queries of which a resource must fulfil one, None where it need not."""
        return self.scopes.queries(resource_type, letters) if self.scopes.is_granular else None
