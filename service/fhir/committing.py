"""Changes committed: their locks, one unit of work, and what the documents are afterwards.

https://hl7.org/fhir/R4/http.html#return
"""

from collections.abc import Callable, Iterable, Sequence

import orjson
from sqlmodel import Session as DbSession

from service.errors import ForbiddenError
from service.fhir.carrying_out import Effect, carry_out
from service.fhir.changes import CONSENT, Change, Sender, Verb, may_be_made, shared_lock
from service.fhir.endpoint import Answer
from service.fhir.mapping import Owner
from service.fhir.scope_writing import before_commit, granted, ungranted
from service.fhir.sent_references import about, by_identifier
from service.fhir.statements import rows_of
from service.fhir.submission import crisis, recorded, written
from service.models.aggregates import Aggregate

# Of what the caller may see: who waited for what is hidden would learn that it is there.
KEYS = (
    "SELECT DISTINCT d.patient_key FROM documents d WHERE d.audience = ? AND d.id IN ({marks})"
    " AND NOT d.deleted AND d.confidentiality <= ? AND d.purposes & ? <> 0"
)
UNSCORED = "kept as it was sent: its questionnaire is not known here, so it was not scored"

Work = Callable[[DbSession], list[Effect]]
Refused = list[tuple[Effect, ForbiddenError]]


def _refuse(refused: Refused) -> None:
    for _, error in refused:
        raise error


def commit(sender: Sender, changes: Sequence[Change]) -> list[Effect]:
    """Carry out the changes in one unit of work, all or none."""
    return commit_work(
        sender, lambda session: carry_out(session, sender, changes), aggregates(sender, changes)
    )


def commit_work(
    sender: Sender,
    work: Work,
    locks: Sequence[Aggregate],
    *,
    refuse: Callable[[Refused], None] = _refuse,
) -> list[Effect]:
    """Commit what `work` does, and read back what the projection wrote for it.

    `refuse` raises what forbids it, where it made resources that no scope of the token grants.
    """

    def judged(session: DbSession) -> list[Effect]:
        effects = work(session)
        before_commit(session, lambda: refuse(outside(session, sender, effects)))
        return effects

    database = sender.endpoint.database
    is_granular = sender.access.scopes.is_granular
    effects = database.unit_of_work(judged if is_granular else work, *locks)
    if all(effect.version and _is_shown(sender, effect) for effect in effects):
        return effects
    return database.read(lambda session: [_read_back(session, sender, e) for e in effects])


def outside(session: DbSession, sender: Sender, effects: Iterable[Effect]) -> Refused:
    """Return the effects which made a resource that no scope grants, and why each is refused."""
    made = [effect for effect in effects if _is_made(effect)]
    asked = [(e.change.kind.name, e.change.letter, e.change.place.id) for e in made]
    within = granted(session, sender, asked)
    return [(each, _refusal(each)) for each in made if each.change.place.id not in within]


def _is_made(effect: Effect) -> bool:
    """Tell whether the effect wrote a resource, and did not just find it there."""
    is_kept = effect.change.verb is Verb.CREATE and effect.status == 200  # noqa: PLR2004 - of HTTP
    return effect.change.verb is not Verb.DELETE and not is_kept


def _refusal(effect: Effect) -> ForbiddenError:
    name, letter = effect.change.kind.name, effect.change.letter
    return ForbiddenError(f"the token grants system/{name}.{letter} on others than this would be")


def aggregates(sender: Sender, changes: Sequence[Change]) -> list[Aggregate]:
    """Return the locks to begin with: the patients of what becomes commands of the domain.

    Documents of clients are protected by their rows, or, where an update may make one, by its id;
    on SQLite there is one writer at a time.
    """
    database = sender.endpoint.database
    if database.sqlite:
        return []
    chosen = (one for one in changes if one.verb is Verb.UPDATE and may_be_made(one))
    found = list({shared_lock(sender, change.reference) for change in chosen})
    ours = [change for change in changes if _is_of_the_domain(change)]
    if ours:
        found += database.read(lambda session: _patients(session, sender, ours))
    return found


def _is_of_the_domain(change: Change) -> bool:
    if change.kind.name == CONSENT:
        return True
    if change.verb is Verb.CREATE:
        return change.source.startswith("response:")
    return change.kind.owner is Owner.SHARED


def _patients(session: DbSession, sender: Sender, changes: Sequence[Change]) -> list[Aggregate]:
    access, keys = sender.access, set()
    ids = _changed(session, sender, [one for one in changes if one.verb is not Verb.CREATE])
    for change in changes:
        if change.verb is Verb.CREATE and change.lexical is not None:
            found = about(change.kind, change.lexical.value, sender.addresses)
            if isinstance(found, dict):
                element = f"{change.kind.name}.{change.kind.patient_path}.identifier"
                keys.add(by_identifier(session, access, found, element=element)[1].key)
            elif found is not None:
                ids.add(found.id)
    sql = KEYS.replace("{marks}", ", ".join("?" * len(ids)))
    rows = rows_of(session, sql, (access.audience, *sorted(ids), *access.limits)) if ids else []
    keys |= {key for (key,) in rows if key}
    return [Aggregate("patient", key) for key in sorted(keys)]


def _changed(session: DbSession, sender: Sender, changes: Sequence[Change]) -> set[str]:
    """Return the ids of what is changed, as far as the token's scopes grant it."""
    ids = {change.place.id for change in changes}
    return ids - ungranted(session, sender, changes)


def _is_shown(sender: Sender, effect: Effect) -> bool:
    """Tell whether the content may be answered, whatever it is: it is the sender's, or readable."""
    access, name = sender.access, effect.change.kind.name
    if effect.change.verb is Verb.CREATE and effect.status == 201:  # noqa: PLR2004 - of HTTP
        return True
    return access.may(name, "r") and access.queries(name, "r") is None


def _shown(session: DbSession, sender: Sender, effect: Effect) -> Effect:
    """Leave the content out where the token may write it and not read it."""
    name, place = effect.change.kind.name, effect.change.place
    if _is_shown(sender, effect):
        return effect
    if sender.access.may(name, "r") and granted(session, sender, [(name, "r", place.id)]):
        return effect
    return effect._replace(content=b"")


def _read_back(session: DbSession, sender: Sender, effect: Effect) -> Effect:
    return _shown(session, sender, _latest(session, sender, effect))


def _latest(session: DbSession, sender: Sender, effect: Effect) -> Effect:
    if effect.version:
        return effect
    place = effect.change.place
    now = written(session, sender.access, place.type, place.id)
    if now is None:  # above the caller's own ceiling, as a response it sent may be
        return effect._replace(version=1)
    return effect._replace(version=now.version, last_updated=now.last_updated, content=now.content)


def answer(sender: Sender, effect: Effect, *, prefer: str) -> Answer:
    """Return what a write answers; a warning comes whatever was preferred."""
    change = effect.change
    said = warning(sender, effect)
    if said is None and prefer == "OperationOutcome":
        said = recorded(_sentence(effect))
    content = effect.content if prefer != "minimal" else b""
    if said is not None:
        content = orjson.dumps(_about(change, said))
    return Answer(
        effect.status,
        content,
        effect.version,
        effect.last_updated,
        location=f"{sender.endpoint.base}/{change.reference}/_history/{effect.version}",
        patients=(effect.patient_key,) if effect.patient_key else (),
    )


def warning(sender: Sender, effect: Effect) -> dict[str, object] | None:
    """Return the warning that a safety rule asks for, if one was met."""
    return crisis(sender.writing.crisis_text) if effect.alert else None


def _sentence(effect: Effect) -> str:
    change = effect.change
    is_response = change.kind.owner is Owner.SHARED
    if effect.status == 200 and change.verb is Verb.CREATE:  # noqa: PLR2004 - of HTTP
        return f"there is one already, as version {effect.version}; nothing was recorded"
    if is_response and change.source.startswith("sent:"):
        return UNSCORED
    return f"recorded as version {effect.version}"


def _about(change: Change, said: dict[str, object]) -> dict[str, object]:
    """Give the outcome the id of what it is about: clients that skip Location look there."""
    return {"resourceType": said["resourceType"], "id": change.shown, **said}
