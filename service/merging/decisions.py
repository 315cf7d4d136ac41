"""Consents of two records: what one refuses, the other's permit does not give again."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import permutations
from uuid import UUID

from sqlmodel import Session as DbSession

from service.disclosures import Provision, permits
from service.merging.following import remember, remembered, rows_of
from service.models.connections import Connection
from service.models.consents import Category, Consent, Decision
from service.models.merges import Merge, Moving
from service.rows import get

Pair = tuple[UUID, Category]


def settle(session: DbSession, merge: Merge) -> None:
    """Withdraw the permits of either record that the other record refuses.

    A denial goes on denying by itself, whoever's row it is; a permit that was withdrawn refuses
    only until there is another, and the other record may have one.
    """
    now, patients = merge.merged_at, (merge.source_id, merge.target_id)
    both = {patient: _by_pair(session, patient) for patient in patients}
    against = [
        row
        for mine, other in permutations(patients)
        for pair, rows in both[mine].items()
        for row in both[other].get(pair, ())
        if _may_permit(row, now) and extents(row) & refused(rows, now)
    ]
    for row in against:
        row.withdrawn_at, row.withdrawn_by = now, merge.merged_by
        remember(session, merge, row, Moving.WITHDRAWN)


def _by_pair(session: DbSession, patient_id: UUID) -> dict[Pair, list[Consent]]:
    found: dict[Pair, list[Consent]] = defaultdict(list)
    for row in rows_of(session, Consent, patient_id):
        found[row.connection_id, row.category].append(row)
    return found


def extents(row: Consent) -> set[str]:
    """Return what a permit reaches to: Part 2 and the group's name only where it says so."""
    more = {"part2": row.covers_part2, "name": row.shows_group_name}
    return {"facts"} | {name for name, said in more.items() if said}


def refused(rows: Iterable[Consent], now: datetime) -> set[str]:
    """Return what permits that were withdrawn reached to, and no other of the record does."""
    permitted = [row for row in rows if row.decision is Decision.PERMIT]
    gone = [extents(row) for row in permitted if row.withdrawn_at is not None]
    left = [extents(row) for row in permitted if _in_force(row, now)]
    return set().union(*gone) - set().union(*left)


def _may_permit(row: Consent, now: datetime) -> bool:
    return row.decision is Decision.PERMIT and _stands(row, now)


def _stands(row: Consent, now: datetime) -> bool:
    """Tell whether the decision holds, or will."""
    return row.withdrawn_at is None and (row.end is None or row.end > now)


def _in_force(row: Consent, now: datetime) -> bool:
    return _stands(row, now) and row.start <= now


def restore(session: DbSession, merge: Merge) -> None:
    """Give again the permits that the merge withdrew."""
    ids = remembered(session, merge, Moving.WITHDRAWN)[Consent.__tablename__]
    for row_id in ids:
        row = get(session, Consent, row_id)
        if row.withdrawn_at == merge.merged_at:
            row.withdrawn_at, row.withdrawn_by = None, None


def decided_against(session: DbSession, merge: Merge, now: datetime) -> list[Consent]:
    """Return the decisions, made while the two were one, by which something is refused now."""
    groups = _by_pair(session, merge.target_id).values()
    return [row for rows in groups if (row := _refusing_since(rows, merge, now)) is not None]


def _refusing_since(rows: list[Consent], merge: Merge, now: datetime) -> Consent | None:
    """Return a decision against, made since the merge, that no permit in force outdoes."""
    for row in rows:
        denied = row.decision is Decision.DENY and row.created_at > merge.merged_at
        if denied and _stands(row, now):
            return row
        withdrawn = row.withdrawn_at is not None and row.withdrawn_at > merge.merged_at
        if withdrawn and row.decision is Decision.PERMIT and "facts" in refused(rows, now):
            return row
    return None


def carry(session: DbSession, merge: Merge, against: Iterable[Consent], now: datetime) -> None:
    """Let these refusals hold for both records, now that they are two: either may have said it."""
    for row in against:
        is_targets = row.patient_id == merge.target_id
        other = merge.source_id if is_targets else merge.target_id
        session.add_all(_denials(session, row, other, merge, now))


def _denials(
    session: DbSession, since: Consent, patient_id: UUID, merge: Merge, now: datetime
) -> Iterator[Consent]:
    """Yield the same refusal for the other record, where something is permitted there."""
    rows = _by_pair(session, patient_id).get((since.connection_id, since.category), [])
    said = [Provision(**{name: getattr(row, name) for name in FIELDS}) for row in rows]
    policy = get(session, Connection, since.connection_id).policy
    given = (permits(policy, said, since.category, now=now, part2=part2) for part2 in (False, True))
    if any(given):
        denies = since.decision is Decision.DENY
        yield Consent(
            patient_id=patient_id,
            connection_id=since.connection_id,
            category=since.category,
            decision=Decision.DENY,
            start=since.start if denies else now,
            end=since.end if denies else None,
            recorded_by=merge.undone_by or "",
            created_at=now,
        )


FIELDS = tuple(Provision.__dataclass_fields__)
