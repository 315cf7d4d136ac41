"""The FHIR endpoint: what every interaction works with, and what it answers.

https://hl7.org/fhir/R4/http.html
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property, partial
from typing import Any, Protocol

from service.access import Access
from service.clock import Clock, microseconds
from service.commands import CorrectResponse, ReceivePatient, RecordResponse
from service.database import Database
from service.encryption import Cipher
from service.errors import ForbiddenError, GoneError, NotFoundError
from service.fhir.identity import caller_audience, storage_id
from service.fhir.mapping import Registry, ResourceType
from service.fhir.opened import OpenedReader
from service.fhir.paging import link_key
from service.fhir.refresh import DUE, refresh_due
from service.fhir.rosters import ROSTER
from service.fhir.scope_limits import limit, limits
from service.fhir.search import audiences
from service.fhir.search_plan import Criterion, Rules
from service.fhir.search_values import Condition
from service.fhir.store_reader import StoreReader
from service.models.evidence import Evidence
from service.models.provisions import Provision


class Finding(Protocol):
    """One thing that a validator has to say."""

    @property
    def severity(self) -> str:
        """Return the issue's severity."""

    @property
    def code(self) -> str:
        """Return the issue's type."""

    @property
    def expression(self) -> str:
        """Return where it is, as FHIRPath."""

    @property
    def diagnostics(self) -> str:
        """Return the rule that was broken."""


@dataclass(frozen=True)
class Writing:
    """What the mappings lend to the interactions that write; `api.bootstrap` brings them."""

    validate: Callable[[dict[str, Any]], Sequence[Finding]]
    validate_profile: Callable[[dict[str, Any], str], Sequence[Finding]]
    to_command: Callable[..., RecordResponse]
    to_correction: Callable[..., CorrectResponse]
    to_patient: Callable[..., ReceivePatient]
    to_provision: Callable[..., Provision | None]
    to_evidence: Callable[..., Evidence | None]
    recognises: Callable[[dict[str, Any]], bool]
    crisis_text: str


@dataclass(frozen=True)
class Breaking:
    """How the glass is broken here: for how long, and how the reason is kept."""

    lasts: timedelta
    notice: bool
    cipher: Cipher


@dataclass(frozen=True)
class Endpoint:
    """One FHIR endpoint; `base` is its address without a slash at the end."""

    base: str
    registry: Registry
    reader: StoreReader
    database: Database
    clock: Clock
    key: bytes = field(repr=False)
    page_size: int = 20
    page_limit: int = 200
    breaking: Breaking | None = None

    @cached_property
    def link_key(self) -> bytes:
        return link_key(self.key)

    def seen_by(self, access: Access) -> "Endpoint":
        """Return it as the caller reads it, who may have broken the glass (ADR 0046)."""
        if not access.opened:
            return self
        reader = OpenedReader(self.reader, sorted(access.opened), access.audience)
        return replace(self, reader=reader)

    @cached_property
    def _audiences(self) -> dict[tuple[str, int], tuple[int, ...]]:
        return {}

    def audiences(self, name: str, access: Access) -> tuple[int, ...]:
        """Return the audiences to search for this type."""
        found = self._audiences.get((name, access.audience))
        if found is None:
            found = audiences(self.registry, name, access)
            self._audiences[name, access.audience] = found
        return found

    def rules(self, access: Access | None = None) -> Rules:
        """Return the rules of a search; without a caller it may join nothing."""
        rules = Rules(
            base=self.base,
            now=microseconds(self.clock()),
            page_size=self.page_size,
            page_limit=self.page_limit,
            types=self.registry.by_type,
            value_sets=self.registry.value_sets,
        )
        if access is None:
            return rules
        return replace(
            rules,
            access=access,
            where=lambda name: self.audiences(name, access),
            locate=partial(storage_id, caller_audience(self.key, access)),
            limit=lambda name, alias: self._limit(access, name, alias),
        )

    def _limit(self, access: Access, name: str, alias: str) -> Criterion | None:
        if not access.scopes.is_granular:
            return None
        return limit(self.rules(access), access, name, "s", alias)

    def limits(
        self, access: Access, names: Iterable[str], letters: str, alias: str = "d"
    ) -> Condition | None:
        """Return what the caller's scopes ask of a document of one of these types.

        None stands for nothing, as of every token whose scopes have no `?parameter=value`.
        """
        if not access.scopes.is_granular:
            return None
        return limits(self.rules(access), access, names, letters, alias)

    async def moment(self) -> int:
        """Return the present moment by the clock that documents are stamped by."""
        found = await self.reader.moment()
        return microseconds(self.clock()) if found is None else found

    async def settle(self) -> None:
        """Let what the clock begins or ends, consents or offers, take effect before an answer."""
        if await self.reader.rows(DUE, (microseconds(self.clock()),)):
            await asyncio.to_thread(refresh_due, self.database, self.clock)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an interaction answers; `patients` are the keys of those it is about.

    Version 0 stands for none, as of a Bundle.
    """

    status: int
    body: bytes
    version: int = 0
    last_updated: int = 0
    location: str | None = None
    patients: Collection[str] = ()


def served(registry: Registry, name: str) -> ResourceType:
    """Return the type, or raise NotFoundError where no such type is served."""
    kind = registry.by_type.get(name)
    if kind is None:
        raise NotFoundError("this resource type is not served here")
    return kind


def require(access: Access, name: str, letter: str) -> None:
    """Raise ForbiddenError unless the token may do this."""
    if name == ROSTER and not access.roster_role:
        raise ForbiddenError("rosters (Group) are for clients with the roster role")
    if not access.may(name, letter):
        raise ForbiddenError(f"the token does not grant {access.context}/{name}.{letter}")


def gone(name: str) -> GoneError:
    """Return the answer to the id of what a client wrote and deleted."""
    return GoneError(f"this {name} was deleted")


def absent(name: str) -> NotFoundError:
    """Return the one answer to an id that is unknown, deleted, foreign or above the ceiling."""
    return NotFoundError(f"there is no {name} with this id")
