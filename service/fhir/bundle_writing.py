"""The writes of a Bundle's entries in one unit of work: all of them, or none.

https://hl7.org/fhir/R4/http.html#trules
"""

from collections.abc import Sequence
from contextlib import suppress

from sqlmodel import Session as DbSession

from service.errors import AlongsideError, InvalidError
from service.fhir.bundle_changes import Planned, drafted, plan
from service.fhir.bundle_conditions import Together, decide
from service.fhir.bundle_entries import Entry
from service.fhir.bundle_errors import Failures
from service.fhir.bundle_references import Links, conditional
from service.fhir.carrying_out import Effect, carry_out_each
from service.fhir.changes import Change, Sender, Verb
from service.fhir.committing import Refused, aggregates, commit_work
from service.fhir.conditional import condition_lock
from service.models.aggregates import Aggregate

NOWHERE = "0" * 32  # an id that stands for one that only a search will tell
RANKS = {"DELETE": 0, "POST": 1, "PUT": 2, "PATCH": 2}
LAST = 3  # whom a Provenance is about follows from what it targets


def write_together(sender: Sender, entries: Sequence[Entry]) -> dict[int, Effect]:
    """Write what the entries ask for; return what each did, by its number.

    A delete by a condition that finds nothing does nothing.

    Raises:
        EntriesError: entries that cannot be carried out; then nothing is written.
    """
    together = _prepared(sender, entries)
    by_number = {entry.number: entry for entry in entries}

    def work(session: DbSession) -> list[Effect]:
        changes, done = together.drafts, list[Effect]()
        if together.is_conditional:
            changes, done = decide(session, together)
        failures = Failures()
        for effect, change in _carried_out(session, sender, by_number, changes):
            with failures.of(by_number[change.number]):
                if isinstance(effect, AlongsideError):
                    raise effect
                done.append(effect)
        failures.refuse()
        return done

    def refuse(refused: Refused) -> None:
        failures = Failures()
        for effect, error in refused:
            with failures.of(by_number[effect.change.number]):
                raise error
        failures.refuse()

    effects = commit_work(sender, work, _locks(together), refuse=refuse)
    return {effect.change.number: effect for effect in effects}


def _carried_out(
    session: DbSession, sender: Sender, entries: dict[int, Entry], changes: Sequence[Change]
) -> list[tuple[Effect | AlongsideError, Change]]:
    def rank(change: Change) -> tuple[int, int]:
        if change.verb is Verb.CREATE and change.kind.name == "Provenance":
            return LAST, change.number
        return RANKS[entries[change.number].method], change.number

    ordered = sorted(changes, key=rank)
    return list(zip(carry_out_each(session, sender, ordered), ordered, strict=True))


def _prepared(sender: Sender, entries: Sequence[Entry]) -> Together:
    """Plan and check every entry before anything is locked."""
    failures = Failures()
    plans: list[Planned] = []
    for entry in entries:
        with failures.of(entry):
            plans.append(plan(sender, entry))
    _require_distinct(plans, failures)
    searches = _searches(plans)
    links = Links(_provisional(entries, plans) | {asked: _nowhere(asked) for asked in searches})
    drafts = []
    for planned in plans:
        with failures.of(planned.entry):
            drafts.append(drafted(sender, planned, links))
    failures.refuse()
    return Together(sender, plans, [draft for draft in drafts if draft is not None], searches)


def _searches(plans: Sequence[Planned]) -> dict[str, list[tuple[Planned, str]]]:
    """Return the conditional references, with where each stands."""
    found: dict[str, list[tuple[Planned, str]]] = {}
    for planned in plans:
        for expression, asked in conditional(planned.entry).items():
            found.setdefault(asked, []).append((planned, expression))
    return found


def _nowhere(search: str) -> str:
    return f"{search.partition('?')[0]}/{NOWHERE}"


def _provisional(entries: Sequence[Entry], plans: Sequence[Planned]) -> dict[str, str]:
    """Return what each fullUrl will stand for; where that is not known yet, something like it."""
    found = {}
    for entry in entries:
        if entry.full_url and entry.resource is not None:
            name = entry.resource.value.get("resourceType")
            found[entry.full_url] = f"{name}/{NOWHERE}"
    for planned in plans:
        if planned.change is not None and planned.entry.full_url:
            found[planned.entry.full_url] = planned.change.reference
    return found


def _require_distinct(plans: Sequence[Planned], failures: Failures) -> None:
    """Note entries that are about the same as an earlier one."""
    full_urls: set[str] = set()
    identities: set[str] = set()
    for planned in plans:
        entry, identity = planned.entry, planned.identity
        with failures.of(entry):
            if entry.full_url and entry.full_url in full_urls:
                element = f"{entry.path}.fullUrl"
                raise InvalidError("an earlier entry has the same", element=element)
            if identity is not None and identity in identities:
                raise _written_twice(entry)
        full_urls.add(entry.full_url)
        identities.add(identity or "")


def _written_twice(entry: Entry) -> InvalidError:
    element = f"{entry.path}.request.url"
    return InvalidError("an earlier entry writes the same resource", element=element)


def _locks(together: Together) -> list[Aggregate]:
    sender = together.sender
    found = {
        condition_lock(sender, planned.kind.name, planned.condition)
        for planned in together.plans
        if planned.condition is not None
    }
    with suppress(InvalidError):  # it is found again, and said of its entry, within
        found.update(aggregates(sender, together.drafts))
    return sorted(found)
