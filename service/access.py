"""Who is calling and what they may do: a value that search compiles into SQL (DESIGN section 3).

Scopes here are `system/<Type|*>.<cruds>`, the letters in this order, or as SMART 1 has them
`.read` (rs), `.write` (cud) and `.*` (cruds); for `/v1` they are those of V1_SCOPES.
https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

import re
from dataclasses import dataclass, field
from functools import cached_property
from uuid import UUID

from service.models.documents import PROGRAMME, PUBLIC

SCOPE = re.compile(r"system/(\*|[A-Z][A-Za-z]+)\.(\*|read|write|(?=[cruds])c?r?u?d?s?)")
V1_SCOPES = frozenset({"v1.read", "v1.write", "v1.coordinate", "v1.admin"})
LETTERS = {"*": "cruds", "read": "rs", "write": "cud"}
GRANULAR = "scopes with ?parameter=value are not offered here yet"


def is_scope(text: str) -> bool:
    """Return whether `text` is a scope that can be granted here."""
    return text in V1_SCOPES or SCOPE.fullmatch(text) is not None


def is_granular(text: str) -> bool:
    """Return whether `text` is a scope that narrows another one by a search parameter."""
    plain, mark, _ = text.partition("?")
    return bool(mark) and SCOPE.fullmatch(plain) is not None


@dataclass(frozen=True)
class Scopes:
    """What was granted, as letters by resource type; `*` stands for every type."""

    text: str

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(self.text.split())

    @cached_property
    def letters(self) -> dict[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        for name in self.names:
            if match := SCOPE.fullmatch(name):
                found.setdefault(match[1], set()).update(LETTERS.get(match[2], match[2]))
        return {kind: frozenset(letters) for kind, letters in found.items()}

    def allows(self, resource_type: str, letter: str) -> bool:
        """Return whether `letter` (c, r, u, d or s) is granted on this type."""
        everywhere = self.letters.get("*", frozenset())
        return letter in everywhere or letter in self.letters.get(resource_type, frozenset())

    def within(self, allowed: "Scopes") -> bool:
        """Return whether every scope here is covered by `allowed`."""
        plain = all(name in allowed.names for name in self.names & V1_SCOPES)
        return plain and all(
            allowed.allows(kind, letter)
            for kind, letters in self.letters.items()
            for letter in letters
        )


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
        """Return whether the caller may do this; a roster also takes the roster role."""
        if resource_type == "Group" and not self.roster_role:
            return False
        return self.scopes.allows(resource_type, letter)
