"""Consents of two records: what one refuses, the other's permit does not give again."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import permutations
from uuid import UUID

from sqlmodel import Session as DbSession

from service.disclosures import LABELS, Declared, decide, declared
from service.merging.following import remember, remembered, rows_of
from service.models.connections import Connection, ConsentPolicy
from service.models.consents import Category, Consent, Decision, Standing
from service.models.merges import Merge, Moving
from service.models.provisions import Provision, provision_of
from service.models.purposes import Purpose
from service.rows import get
from service.weighing import Content

Pair = tuple[UUID, Category]
Extent = tuple[str, Purpose]  # the facts, those of Part 2, or the group's name


def settle(session: DbSession, merge: Merge) -> None:
    """Withdraw the permits of either record that the other record refuses.

    A denial goes on denying by itself, whoever's row it is; a permit that was withdrawn refuses
    only until there is another, and the other record may have one.
    """
    now, patients = merge.merged_at, (merge.source_id, merge.target_id)
    both = {patient: _by_pair(session, patient) for patient in patients}
    against = {
        row.id: row
        for mine, other in permutations(patients)
        for pair, rows in both[mine].items()
        for row in both[other].get(pair, ())
        if _may_permit(row, now) and extents(row, pair[1]) & refused(rows, pair[1], now)
    }
    for row in against.values():
        _take_back(row, merge)
        remember(session, merge, row, Moving.WITHDRAWN)


def _take_back(row: Consent, merge: Merge) -> None:
    """Withdraw a consent; where it denies something too, its permits alone count no more."""
    if any(rule.decision is Decision.DENY for rule in _rules(row)):
        row.standing = Standing.REFUSED
        row.settled_at, row.settled_by = merge.merged_at, merge.merged_by
    else:
        row.withdrawn_at, row.withdrawn_by = merge.merged_at, merge.merged_by


def _by_pair(session: DbSession, patient_id: UUID) -> dict[Pair, list[Consent]]:
    found: dict[Pair, list[Consent]] = defaultdict(list)
    for row in rows_of(session, Consent, patient_id):
        said = [rule.categories for rule in _rules(row)]
        for category in frozenset().union(*said) if all(said) else Category:
            found[row.connection_id, category].append(row)
    return found


def _rules(row: Consent) -> list[Provision]:
    return [rule for _, rule in provision_of(vars(row)).within().each()]


def _permits(row: Consent, category: Category) -> list[Provision]:
    return [
        rule
        for rule in _rules(row)
        if rule.decision is Decision.PERMIT and (not rule.categories or category in rule.categories)
    ]


def extents(row: Consent, category: Category) -> set[Extent]:
    """Return what permits reach to: Part 2 and the group's name only where they say so."""
    return {each for rule in _permits(row, category) for each in _extents(rule)}


def _extents(rule: Provision) -> Iterator[Extent]:
    more = {"part2": rule.covers_part2, "name": rule.shows_group_name}
    for kind in ("facts", *(name for name, said in more.items() if said)):
        for purpose in rule.purposes or Purpose:
            yield kind, purpose


def refused(rows: Iterable[Consent], category: Category, now: datetime) -> set[Extent]:
    """Return what permits that were withdrawn reached to, and no other of the record does."""
    permitted = list(rows)
    gone = [extents(row, category) for row in permitted if row.withdrawn_at is not None]
    gone += [_retracted(row, category) for row in permitted]
    left = [_whole(row, category) for row in permitted if _in_force(row, now)]
    return set().union(*gone) - set().union(*left)


def _retracted(row: Consent, category: Category) -> set[Extent]:
    """Return what a version reached to that was replaced."""
    purposes = row.retracted.get(category.value, 0)
    return {("facts", one) for one in Purpose if one.bit & purposes}


def _whole(row: Consent, category: Category) -> set[Extent]:
    """Return what permits reach to that no label limits and nothing excepts."""
    rules = [rule for rule in _permits(row, category) if not rule.labels and not rule.provisions]
    return {each for rule in rules for each in _extents(rule)}


def _may_permit(row: Consent, now: datetime) -> bool:
    return row.standing is not Standing.REFUSED and _stands(row, now)


def _stands(row: Consent, now: datetime) -> bool:
    """Tell whether the decision holds, or will."""
    return row.withdrawn_at is None and (row.end is None or row.end > now)


def _in_force(row: Consent, now: datetime) -> bool:
    return row.standing is Standing.CONFIRMED and _stands(row, now) and row.start <= now


def restore(session: DbSession, merge: Merge) -> None:
    """Give again the permits that the merge withdrew."""
    ids = remembered(session, merge, Moving.WITHDRAWN)[Consent.__tablename__]
    for row_id in ids:
        row = get(session, Consent, row_id)
        if row.withdrawn_at == merge.merged_at:
            row.withdrawn_at, row.withdrawn_by = None, None
        if row.standing is Standing.REFUSED and row.settled_at == merge.merged_at:
            row.standing, row.settled_at, row.settled_by = Standing.CONFIRMED, None, None


Against = tuple[Category, Consent]


def decided_against(session: DbSession, merge: Merge, now: datetime) -> list[Against]:
    """Return the decisions, made while the two were one, by which something is refused now."""
    pairs = _by_pair(session, merge.target_id).items()
    return [
        (category, row)
        for (_, category), rows in pairs
        if (row := _refusing_since(rows, category, merge, now)) is not None
    ]


def _refusing_since(
    rows: list[Consent], category: Category, merge: Merge, now: datetime
) -> Consent | None:
    """Return a decision against, made since the merge, that no permit in force outdoes."""
    for row in rows:
        said = row.changed_at or row.created_at
        if said > merge.merged_at and _denies(row, category) and _stands(row, now):
            return row
        gone = max(filter(None, [row.withdrawn_at, row.changed_at]), default=merge.merged_at)
        left = {kind for kind, _ in refused(rows, category, now)}
        if gone > merge.merged_at and (extents(row, category) or row.retracted) and "facts" in left:
            return row
    return None


def _denies(row: Consent, category: Category) -> bool:
    return any(
        rule.decision is Decision.DENY and (not rule.categories or category in rule.categories)
        for rule in _rules(row)
    )


def carry(session: DbSession, merge: Merge, against: Iterable[Against], now: datetime) -> None:
    """Let these refusals hold for both records, now that they are two: either may have said it."""
    for category, row in against:
        is_targets = row.patient_id == merge.target_id
        other = merge.source_id if is_targets else merge.target_id
        session.add_all(_denials(session, (category, row), other, merge, now))


def _denials(
    session: DbSession, against: Against, patient_id: UUID, merge: Merge, now: datetime
) -> Iterator[Consent]:
    """Yield the same refusal for the other record, where something is permitted there."""
    category, since = against
    rows = rows_of(session, Consent, patient_id)
    said = [declared(vars(row)) for row in rows if row.connection_id == since.connection_id]
    policy = get(session, Connection, since.connection_id).policy
    given = (_reach(policy, said, category, now, part2=part2) for part2 in (False, True))
    if any(given):
        denies = since.decision is Decision.DENY
        yield Consent(
            patient_id=patient_id,
            connection_id=since.connection_id,
            categories=[category.value],
            decision=Decision.DENY,
            start=since.start if denies else now,
            end=since.end if denies else None,
            recorded_by=merge.undone_by or "",
            created_at=now,
        )


def _reach(
    policy: ConsentPolicy, said: list[Declared], category: Category, now: datetime, *, part2: bool
) -> bool:
    """Tell whether something of this category is given for any purpose, under whatever label."""
    contents = (Content(category, part2, *labels) for labels in LABELS)
    return any(decide(policy, said, content, now).given for content in contents)
