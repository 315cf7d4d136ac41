"""FHIR update interaction, by id or by a condition; a client's own id makes what is not there.

https://hl7.org/fhir/R4/http.html#update
"""

from collections.abc import Sequence
from dataclasses import replace

from sqlmodel import Session as DbSession

from service.fhir.carrying_out import Effect, carry_out
from service.fhir.changes import Sender, creation, updating
from service.fhir.committing import aggregates, answer, commit, commit_work
from service.fhir.conditional import condition_lock, only_match, onto, otherwise
from service.fhir.endpoint import Answer

Pairs = Sequence[tuple[str, str]]


def update(
    sender: Sender,
    address: tuple[str, str],
    *,
    body: bytes,
    if_match: frozenset[str] | None = None,
    prefer: str = "representation",
) -> Answer:
    """Replace what is there; `if_match` holds the versions the caller has seen."""
    change = updating(sender, address, body, if_match)
    (effect,) = commit(sender, [change])
    return answer(sender, effect, prefer=prefer)


def update_where(
    sender: Sender,
    name: str,
    pairs: Pairs,
    *,
    body: bytes,
    if_match: frozenset[str] | None = None,
    prefer: str = "representation",
) -> Answer:
    """Replace the one resource that the condition finds, or make it where there is none."""
    fresh = creation(sender, name, body, "u")
    made = otherwise(sender, replace(fresh, if_match=if_match))

    def work(session: DbSession) -> list[Effect]:
        found = only_match(session, sender, name, pairs)
        return carry_out(session, sender, [made if found is None else onto(made, found, if_match)])

    lock = condition_lock(sender, name, pairs)
    (effect,) = commit_work(sender, work, [lock, *aggregates(sender, [made])])
    return answer(sender, effect, prefer=prefer)
