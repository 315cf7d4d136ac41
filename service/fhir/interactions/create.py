"""FHIR create interaction, also conditional: a Patient is taken in, a response scored on arrival.

https://hl7.org/fhir/R4/http.html#create
"""

from collections.abc import Sequence

from sqlmodel import Session as DbSession

from service.fhir.carrying_out import Effect, carry_out
from service.fhir.changes import Change, Sender, creation
from service.fhir.committing import aggregates, answer, commit, commit_work
from service.fhir.conditional import condition_lock, kept, only_match
from service.fhir.endpoint import Answer

Pairs = Sequence[tuple[str, str]]


def create(
    sender: Sender,
    name: str,
    *,
    body: bytes,
    prefer: str = "representation",
    if_none_exist: Pairs | None = None,
) -> Answer:
    """Keep what was sent; the answer is the document, or a warning where a safety rule fired.

    Where `if_none_exist` finds one resource already, that is the answer, and nothing is made.
    """
    change = creation(sender, name, body)
    if if_none_exist is None:
        (effect,) = commit(sender, [change])
    else:
        (effect,) = _unless_there(sender, change, if_none_exist)
    return answer(sender, effect, prefer=prefer)


def _unless_there(sender: Sender, change: Change, pairs: Pairs) -> list[Effect]:
    def work(session: DbSession) -> list[Effect]:
        found = only_match(session, sender, change.kind.name, pairs)
        return carry_out(session, sender, [change]) if found is None else [kept(change, found)]

    lock = condition_lock(sender, change.kind.name, pairs)
    return commit_work(sender, work, [lock, *aggregates(sender, [change])])
