"""Conditional writes: what a search finds, asked under a lock that all who ask it share.

https://hl7.org/fhir/R4/http.html#ccreate
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from sqlmodel import Session as DbSession

from service.errors import InvalidError, MultipleMatchesError
from service.fhir.carrying_out import Effect
from service.fhir.changes import Change, Sender, Verb, place_of, shared_lock
from service.fhir.endpoint import require, served
from service.fhir.identity import ID, chosen_source, is_given
from service.fhir.mapping import Owner
from service.fhir.search import Bounds, page_statement
from service.fhir.search_drivers import driven_within
from service.fhir.search_parameters import read_query
from service.fhir.sent_references import Place
from service.fhir.statements import rows_of
from service.models.aggregates import Aggregate

Pairs = Sequence[tuple[str, str]]

SHOWN = (
    "SELECT coalesce(chosen_id, id), version, last_updated, content, patient_key FROM documents"
    " WHERE id = ? AND audience IN (?, 0)"
)


class Match(NamedTuple):
    """The one resource that a condition finds."""

    place: Place
    shown: str
    version: int
    last_updated: int
    content: bytes
    patient_key: str | None


def condition_lock(sender: Sender, name: str, pairs: Pairs) -> Aggregate:
    """Return the lock of one condition: two who ask the same wait for each other."""
    asked = "&".join(f"{key}={value}" for key, value in sorted(pairs))
    return shared_lock(sender, f"{name}?{asked}")


def only_match(session: DbSession, sender: Sender, name: str, pairs: Pairs) -> Match | None:
    """Return the one resource that the condition finds, or None.

    Raises:
        InvalidError: the condition is empty, or asks what is not searched here.
        MultipleMatchesError: it finds several.
    """
    access, endpoint = sender.access, sender.endpoint
    require(access, name, "s")
    if not pairs or any(key.startswith("_") and key not in CRITERIA for key, _ in pairs):
        raise InvalidError("must be search parameters that say which resource", element="condition")
    plan = read_query(served(endpoint.registry, name), pairs, endpoint.rules(access), strict=True)
    plan = driven_within(session, plan)._replace(size=1)
    where = endpoint.audiences(name, access)
    found = rows_of(session, *page_statement(plan, where, Bounds(access.limits)))
    if len(found) > 1:
        raise MultipleMatchesError(f"more than one {name} fulfils the condition")
    return _match(session, sender, name, str(found[0][0])) if found else None


CRITERIA = frozenset({"_id", "_tag", "_profile", "_security", "_source", "_lastUpdated"})


def _match(session: DbSession, sender: Sender, name: str, document_id: str) -> Match:
    ((shown, *rest),) = rows_of(session, SHOWN, (document_id, sender.access.audience))
    return Match(Place(name, document_id), str(shown), *rest)


def kept(change: Change, found: Match) -> Effect:
    """Return the effect of a create whose resource is there already."""
    there = Change(change.verb, change.kind, found.place, found.shown)
    return Effect(there, 200, found.version, found.last_updated, found.content, found.patient_key)


def onto(fresh: Change, found: Match, if_match: frozenset[str] | None) -> Change:
    """Return the update of what the condition found by a resource that may leave its id out."""
    said = fresh.lexical.value.get("id", found.shown) if fresh.lexical else found.shown
    if said != found.shown:
        element = f"{fresh.kind.name}.id"
        raise InvalidError(
            "must be the id of the resource that the condition finds", element=element
        )
    return replace(
        fresh,
        verb=Verb.UPDATE,
        place=found.place,
        shown=found.shown,
        if_match=if_match,
        is_new=False,
    )


def otherwise(sender: Sender, fresh: Change) -> Change:
    """Return what a conditional update makes where its condition finds nothing.

    A resource that says its id is made under it, where clients choose ids (ADR 0010).
    """
    said = fresh.lexical.value.get("id") if fresh.lexical else None
    if not isinstance(said, str) or not ID.fullmatch(said) or is_given(said):
        return fresh
    if fresh.kind.owner is not Owner.CLIENT:
        return fresh
    place, source = place_of(sender, fresh.kind.name, said), chosen_source(said)
    return replace(fresh, verb=Verb.UPDATE, place=place, shown=said, source=source, is_new=True)
