"""What scopes with `?parameter=value` let a caller write: what it changes, and what that becomes.

A create takes that the new resource fulfils the scope, an update that the old and the new one do,
a delete that the old one does. What is written is judged as it is kept, before it is committed.
https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import event
from sqlmodel import Session as DbSession

from service.driver import CHUNK
from service.fhir.changes import Change, Sender, Verb
from service.fhir.search import limited
from service.fhir.search_values import Condition
from service.fhir.statements import rows_of

THERE = "SELECT d.id FROM documents d WHERE d.audience IN (?, ?) AND d.id IN ({marks})"

Asked = Iterable[tuple[str, str, str]]  # a type, the letter it takes, the id it is stored under


def ungranted(session: DbSession, sender: Sender, changes: Sequence[Change]) -> frozenset[str]:
    """Return the ids of what no scope of the token lets it change, whether there is one or not."""
    if not sender.access.scopes.is_granular:
        return frozenset()
    asked = [
        (change.kind.name, change.letter, change.place.id)
        for change in changes
        if change.verb is not Verb.CREATE
    ]
    return frozenset(each[-1] for each in asked) - granted(session, sender, asked)


def granted(session: DbSession, sender: Sender, asked: Asked) -> set[str]:
    """Return the ids of the documents, as they are now, on which the letter is granted.

    A tombstone under an id that its client chose may be made a resource anew, as an unused id may:
    there is nothing of it that could be shown.
    """
    by_letter: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, letter, document_id in asked:
        by_letter[name, letter].append(document_id)
    found: set[str] = set()
    for (name, letter), ids in sorted(by_letter.items()):
        limit = sender.endpoint.limits(sender.access, [name], letter)
        if limit is not None and letter == "u":
            limit = Condition(f"(d.deleted AND d.chosen_id IS NOT NULL OR {limit.sql})", limit.args)
        for start in range(0, len(ids), CHUNK):
            found |= _there(session, sender, sorted(ids)[start : start + CHUNK], limit)
    return found


def _there(
    session: DbSession, sender: Sender, ids: Sequence[str], limit: Condition | None
) -> set[str]:
    sql = THERE.replace("{marks}", ", ".join("?" * len(ids)))
    args = (*sender.access.audiences, *ids)
    return {document_id for (document_id,) in rows_of(session, *limited(sql, args, limit))}


def before_commit(session: DbSession, check: Callable[[], None]) -> None:
    """Let `check` look at the documents once they are written, and raise what forbids them."""
    event.listen(session, "before_commit", lambda _session: check(), once=True)
