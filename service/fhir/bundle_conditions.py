"""Conditions of a transaction's entries, asked under their locks before anything is written.

https://hl7.org/fhir/R4/http.html#trules
"""

from dataclasses import dataclass

from sqlmodel import Session as DbSession

from service.errors import BusinessRuleError, InvalidError, MultipleMatchesError
from service.fhir.bundle_changes import Planned, decided, settled
from service.fhir.bundle_entries import condition
from service.fhir.bundle_errors import Failures
from service.fhir.bundle_references import Links
from service.fhir.carrying_out import Effect
from service.fhir.changes import Change, Sender, Verb
from service.fhir.conditional import only_match
from service.fhir.sent_references import Place


@dataclass
class Together:
    """Entries that are written together."""

    sender: Sender
    plans: list[Planned]
    drafts: list[Change]
    searches: dict[str, list[tuple[Planned, str]]]  # conditional references, where they stand

    @property
    def is_conditional(self) -> bool:
        return bool(self.searches) or any(each.condition is not None for each in self.plans)


def decide(session: DbSession, together: Together) -> tuple[list[Change], list[Effect]]:
    """Ask the conditions; return the changes, and the effects of creates that are there already.

    Raises:
        EntriesError: a condition is met by several, or by none where it must be met.
    """
    failures = Failures()
    targets = _searched(session, together, failures)
    found: list[tuple[Planned, Change | Effect]] = []
    taken: set[Place] = set()
    for planned in together.plans:
        with failures.of(planned.entry):
            decision = decided(session, together.sender, planned)
            if decision is None:
                continue
            change = decision.change if isinstance(decision, Effect) else decision
            if change is decision:
                _take(change, taken)
            targets[planned.entry.full_url] = change.reference
            found.append((planned, decision))
    failures.refuse()
    targets.pop("", None)
    return _settled(together.sender, found, Links(targets))


def _take(change: Change, taken: set[Place]) -> None:
    """Note what is written; raise InvalidError where an earlier entry writes it."""
    if change.verb is not Verb.CREATE and change.place in taken:
        element = f"Bundle.entry[{change.number}].request.url"
        raise InvalidError("an earlier entry writes the same resource", element=element)
    taken.add(change.place)


def _settled(
    sender: Sender, found: list[tuple[Planned, Change | Effect]], links: Links
) -> tuple[list[Change], list[Effect]]:
    failures = Failures()
    changes: list[Change] = []
    done: list[Effect] = []
    for planned, decision in found:
        with failures.of(planned.entry):
            if isinstance(decision, Effect):
                done.append(decision)
            else:
                changes.append(settled(sender, planned, decision, links))
    failures.refuse()
    return changes, done


def _searched(session: DbSession, together: Together, failures: Failures) -> dict[str, str]:
    """Return what the conditional references lead to, each of which is asked once."""
    found: dict[str, str] = {}
    for asked, places in together.searches.items():
        name, _, query = asked.partition("?")
        for planned, expression in places:
            with failures.of(planned.entry):
                if asked not in found:
                    found[asked] = _only(session, together.sender, (name, query), expression)
    return found


def _only(session: DbSession, sender: Sender, search: tuple[str, str], expression: str) -> str:
    name, query = search
    try:
        match = only_match(session, sender, name, condition(query))
    except MultipleMatchesError as error:
        raise MultipleMatchesError(error.message, element=expression) from None
    if match is None:
        raise BusinessRuleError(f"no {name} here fulfils the condition", element=expression)
    return f"{name}/{match.shown}"
