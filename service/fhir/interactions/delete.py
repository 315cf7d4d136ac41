"""FHIR delete interaction, by id or by a condition: a tombstone stays, with its history.

https://hl7.org/fhir/R4/http.html#delete
"""

from collections.abc import Sequence

from sqlmodel import Session as DbSession

from service.fhir.carrying_out import Effect, carry_out
from service.fhir.changes import Sender, deletion
from service.fhir.committing import commit, commit_work
from service.fhir.conditional import condition_lock, only_match
from service.fhir.endpoint import Answer
from service.fhir.submission import writable

Pairs = Sequence[tuple[str, str]]


def delete(
    sender: Sender, address: tuple[str, str], *, if_match: frozenset[str] | None = None
) -> Answer:
    """Delete what is there; what was deleted before stays so."""
    (effect,) = commit(sender, [deletion(sender, address, if_match)])
    return deleted(effect)


def delete_where(
    sender: Sender, name: str, pairs: Pairs, *, if_match: frozenset[str] | None = None
) -> Answer:
    """Delete the one resource that the condition finds; where there is none, nothing is done."""
    writable(sender.endpoint, sender.access, name, "d")

    def work(session: DbSession) -> list[Effect]:
        found = only_match(session, sender, name, pairs)
        if found is None:
            return []
        return carry_out(session, sender, [deletion(sender, (name, found.shown), if_match)])

    effects = commit_work(sender, work, [condition_lock(sender, name, pairs)])
    return deleted(effects[0]) if effects else Answer(204, b"")


def deleted(effect: Effect) -> Answer:
    """Return what a delete answers."""
    patients = (effect.patient_key,) if effect.patient_key else ()
    return Answer(204, b"", effect.version, effect.last_updated, patients=patients)
