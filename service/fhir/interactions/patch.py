"""FHIR patch interaction by JSON Patch, by id or by a condition.

https://hl7.org/fhir/R4/http.html#patch
https://www.rfc-editor.org/rfc/rfc6902
"""

from collections.abc import Sequence

from sqlmodel import Session as DbSession

from service.fhir.carrying_out import Effect, carry_out
from service.fhir.changes import Sender, patching
from service.fhir.committing import answer, commit, commit_work
from service.fhir.conditional import condition_lock, only_match
from service.fhir.endpoint import Answer, absent
from service.fhir.json_patch import edit_of
from service.fhir.submission import writable

Pairs = Sequence[tuple[str, str]]


def patch(
    sender: Sender,
    address: tuple[str, str],
    *,
    body: bytes,
    if_match: frozenset[str] | None = None,
    prefer: str = "representation",
) -> Answer:
    """Change some elements of what is there."""
    change = patching(sender, address, edit_of(address[0], body), if_match)
    (effect,) = commit(sender, [change])
    return answer(sender, effect, prefer=prefer)


def patch_where(
    sender: Sender,
    name: str,
    pairs: Pairs,
    *,
    body: bytes,
    if_match: frozenset[str] | None = None,
    prefer: str = "representation",
) -> Answer:
    """Change some elements of the one resource that the condition finds."""
    writable(sender.endpoint, sender.access, name, "u")
    edit = edit_of(name, body)

    def work(session: DbSession) -> list[Effect]:
        found = only_match(session, sender, name, pairs)
        if found is None:
            raise absent(name)
        change = patching(sender, (name, found.shown), edit, if_match)
        return carry_out(session, sender, [change])

    (effect,) = commit_work(sender, work, [condition_lock(sender, name, pairs)])
    return answer(sender, effect, prefer=prefer)
