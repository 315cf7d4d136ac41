"""Changes carried out within one unit of work: documents of clients, and what becomes a command.

https://hl7.org/fhir/R4/http.html#transactional-integrity
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

from sqlmodel import Session as DbSession

from service.errors import (
    AlongsideError,
    BusinessRuleError,
    BusyError,
    ConflictError,
    DuplicateError,
    NotSupportedError,
    VersionError,
)
from service.fhir.changes import (
    CONSENT,
    PATIENT,
    RESPONSE,
    Change,
    Sender,
    Verb,
    located,
    may_be_made,
    missing,
)
from service.fhir.client_drafts import draft_of, rows_of_draft
from service.fhir.documents import Put, Stored, Target, Writer, stored_by_id
from service.fhir.domain_changes import (
    correct,
    receive,
    record,
    replace_patient,
    say_consent,
)
from service.fhir.lexical import parse
from service.fhir.mapping import Owner
from service.fhir.persons import person
from service.fhir.scope_writing import ungranted
from service.fhir.sent_references import Known, Person, Place, known
from service.fhir.statements import rows_of
from service.fhir.submission import checked, owned_by_programme

REFERRING = (
    "SELECT 1 FROM document_references r JOIN documents d ON d.number = r.document"
    " WHERE r.audience = ? AND r.target = ? AND NOT d.deleted LIMIT 1"
)

TAKEN = "a resource that does not fulfil the condition has this id already"

Given = TypeVar("Given")
Made = TypeVar("Made")


class Effect(NamedTuple):
    """What a change did. Version 0 stands for one that is read after the commit."""

    change: Change
    status: int
    version: int = 0
    last_updated: int = 0
    content: bytes = b""
    patient_key: str | None = None
    alert: bool = False


@dataclass
class Work:
    """One unit of work: what was there before it, and what the caller may refer to."""

    session: DbSession
    sender: Sender
    stored: dict[str, Stored]
    known: Known
    writer: Writer
    hidden: frozenset[str] = frozenset()  # what is there, and not the token's to change


def carry_out(session: DbSession, sender: Sender, changes: Sequence[Change]) -> list[Effect]:
    """Carry out the changes in their order; their aggregates are locked.

    Raises:
        AlongsideError: one of them cannot be carried out; then none is to be committed.
    """
    effects = []
    for effect in carry_out_each(session, sender, changes):
        if isinstance(effect, AlongsideError):
            raise effect
        effects.append(effect)
    return effects


def carry_out_each(
    session: DbSession, sender: Sender, changes: Sequence[Change]
) -> list[Effect | AlongsideError]:
    """Carry out the changes in their order; where one is an error, none is to be committed."""
    work = _work(session, sender, changes)
    made = [_tried(_edited, work, change) for change in changes]
    right = [change for change in made if isinstance(change, Change)]
    work.known |= known(session, sender.access, {p for c in right for p in c.places.values()})
    work.known |= _planned(work, right)
    effects = [_tried(_applied, work, c) if isinstance(c, Change) else c for c in made]
    if any(isinstance(effect, AlongsideError) for effect in effects):
        return effects
    work.writer.run()
    return [_tried(_unreferred, work, e) if isinstance(e, Effect) else e for e in effects]


def _tried(step: Callable[[Work, Given], Made], work: Work, given: Given) -> Made | AlongsideError:
    try:
        return step(work, given)
    except BusyError:
        raise
    except AlongsideError as error:
        return error


def _applied(work: Work, change: Change) -> Effect:
    return _APPLY[change.verb](work, change)


def _work(session: DbSession, sender: Sender, changes: Sequence[Change]) -> Work:
    there = {change.place.id for change in changes if change.verb is not Verb.CREATE}
    leaving = {change.place.id for change in changes if change.verb is Verb.DELETE}
    stored = stored_by_id(session, there, leaving) if there else {}
    endpoint = sender.endpoint
    writer = Writer(session, endpoint.database.stamp(session), endpoint.registry.by_type)
    return Work(session, sender, stored, {}, writer, ungranted(session, sender, changes))


def _planned(work: Work, changes: Sequence[Change]) -> Known:
    """Return the documents that these changes make, with the keys of their patients."""
    found: Known = {}
    for change in changes:
        stored = work.stored.get(change.place.id)
        if change.lexical is not None and (stored is None or stored.deleted):
            is_patient = change.source.startswith("patient:")
            found[change.place] = Person(change.uid.hex, change.place.id) if is_patient else None
    return found


def _create(work: Work, change: Change) -> Effect:
    _require_version(None, change)  # of an update whose condition found nothing
    who = _person(work, change)
    key = who.key if who else None
    kind = change.source.partition(":")[0]
    if kind == "patient":
        receive(work.session, work.sender, change)
        return Effect(change, 201, patient_key=change.uid.hex)
    work.known[change.place] = who
    if kind == "response":
        alert = record(work.session, work.sender, change, key)
        return Effect(change, 201, patient_key=key, alert=alert)
    return _put(work, change, None, who)


def _update(work: Work, change: Change) -> Effect:
    stored = visible(work, change)
    if stored is None or stored.deleted:
        is_hidden = stored is None and change.place.id in work.stored
        if is_hidden or (stored is None and not may_be_made(change)):
            raise missing(change)
        _require_version(stored, change)
        _require_unscored(work, change)
        return _put(work, change, stored, _person(work, change))
    require_owned(stored, change)
    if change.is_new:
        raise DuplicateError(TAKEN, element=f"{change.kind.name}.id")
    _require_version(stored, change)
    who = _person(work, change)
    if (who and who.subject) != stored.subject and change.kind.name != PATIENT:
        element = f"{change.kind.name}.{change.kind.patient_path}"
        raise BusinessRuleError("must stay the same patient", element=element)
    if stored.source.startswith("patient:"):
        replace_patient(work.session, work.sender, change, stored)
        return Effect(change, 200, patient_key=stored.patient_key)
    if stored.source.startswith("response:"):
        alert = correct(work.session, work.sender, change, stored)
        return Effect(change, 200, patient_key=stored.patient_key, alert=alert)
    _require_unscored(work, change)
    return _put(work, change, stored, who)


def _require_unscored(work: Work, change: Change) -> None:
    """Refuse a response that is for the domain where it would only be kept, and warn nobody."""
    if change.lexical is None or change.kind.name != RESPONSE:
        return
    if work.sender.writing.recognises(change.lexical.value):
        rule = "a response that is scored here must be created, not made of one that is not scored"
        raise BusinessRuleError(rule, element=f"{RESPONSE}.questionnaire")


def _edited(work: Work, change: Change) -> Change:
    """Return the change; where it is a patch, the update that it amounts to."""
    if change.verb is not Verb.PATCH:
        return change
    stored = visible(work, change)
    if stored is None or stored.deleted or change.edit is None:
        raise missing(change)
    require_owned(stored, change)
    _require_version(stored, change)
    lexical = change.edit(parse(stored.content))
    sender = work.sender
    checked(sender.writing, change.kind.name, lexical)
    if lexical.value.get("id") != change.shown:
        raise BusinessRuleError("a patch may not change it", element=f"{change.kind.name}.id")
    update = replace(change, verb=Verb.UPDATE, lexical=lexical, body=lexical.text())
    return located(sender, update)


def _delete(work: Work, change: Change) -> Effect:
    stored = visible(work, change)
    if stored is None:
        raise missing(change)
    require_owned(stored, change)
    if stored.source.startswith(("patient:", "response:")):
        raise NotSupportedError(f"a {change.kind.name} that is kept here is not deleted")
    _require_version(stored, change)
    work.writer.remove(stored)
    if stored.deleted:
        return Effect(change, 204, stored.version, stored.last_updated)
    if change.kind.name == CONSENT:
        say_consent(work.session, work.sender, change, stored.patient_key)
    stamp = max(work.writer.stamp, stored.last_updated + 1)
    return Effect(change, 204, stored.version + 1, stamp, patient_key=stored.patient_key)


_APPLY = {Verb.CREATE: _create, Verb.UPDATE: _update, Verb.DELETE: _delete}


def visible(work: Work, change: Change) -> Stored | None:
    """Return the document as it was, if the caller may see it; its own tombstones too."""
    stored = work.stored.get(change.place.id)
    if stored is None or stored.type != change.kind.name or stored.shown_id != change.shown:
        return None
    if stored.id in work.hidden:
        return None
    access = work.sender.access
    is_theirs = stored.audience in access.audiences and stored.purposes & access.purpose
    if not is_theirs or stored.confidentiality > access.ceiling:
        return None
    if stored.deleted and stored.owner != Owner.CLIENT.value:
        return None  # what the programme took away is not here, and never was
    return stored


def require_owned(stored: Stored, change: Change) -> None:
    """Raise ForbiddenError where the programme owns the document."""
    if stored.owner == Owner.PROGRAMME.value and change.kind.owner is not Owner.SHARED:
        raise owned_by_programme(change.kind.name)


def _require_version(stored: Stored | None, change: Change) -> None:
    """Refuse what was made of another version than the current one."""
    if change.if_match is None:
        return
    current = str(stored.version) if stored is not None and not stored.deleted else "none"
    if not change.if_match & ({"*", current} if current != "none" else set()):
        raise VersionError(f"the current version is {current}", element="If-Match")


def _person(work: Work, change: Change) -> Person | None:
    return person(work.session, work.sender, work.known, change)


def _put(work: Work, change: Change, stored: Stored | None, who: Person | None) -> Effect:
    """Keep a document of a client as it was sent."""
    if change.lexical is None:
        raise ConflictError("there is nothing to keep")
    sender = work.sender
    work.known[change.place] = who
    draft = draft_of(sender, change, change.lexical, who, stored.confidentiality if stored else 0)
    rows = rows_of_draft(sender, change, draft, who)
    audience = sender.audience.knowing(who.key, who.subject) if who else sender.audience
    put: Put = work.writer.put(Target(draft, audience, change.source, 1, rows), stored)
    status = 201 if stored is None or stored.deleted else 200
    key = who.key if who else None
    if change.kind.name == CONSENT:
        say_consent(work.session, sender, change, key)
    return Effect(change, status, put.version, put.last_updated, put.content, key)


def _unreferred(work: Work, effect: Effect) -> Effect:
    """Return the effect, unless it deleted what other resources refer to."""
    place: Place = effect.change.place
    if effect.change.verb is not Verb.DELETE:
        return effect
    if rows_of(work.session, REFERRING, (work.sender.access.audience, place.id)):
        raise ConflictError(f"other resources refer to this {place.type}; delete them first")
    return effect
