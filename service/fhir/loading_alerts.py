"""Facts of safety alerts, with who was told of them."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlmodel import Session as DbSession

from service.driver import columns
from service.models.facts import SafetyFacts, TellingFacts
from service.models.groups import SupportGroup
from service.models.safety import AlertEvent, AlertEventKind, Contact
from service.models.screening import Alert

ELSEWHERE = {"part2", "tellings"}


def alerts(session: DbSession, ids: Iterable[UUID]) -> list[SafetyFacts]:
    rows = columns(session, Alert, ids)
    told = _tellings(session, [row["id"] for row in rows])
    groups = columns(session, SupportGroup, {row["group_id"] for row in rows if row["group_id"]})
    part2 = {row["id"]: bool(row["part2"]) for row in groups}
    names = SafetyFacts.__dataclass_fields__.keys() - ELSEWHERE
    return [
        SafetyFacts(
            **{name: row[name] for name in names},
            part2=part2.get(row["group_id"], False),
            tellings=tuple(told[row["id"]]),
        )
        for row in rows
    ]


def _tellings(session: DbSession, ids: list[UUID]) -> dict[UUID, list[TellingFacts]]:
    found: dict[UUID, list[TellingFacts]] = defaultdict(list)
    rows: list[dict[str, Any]] = [
        row
        for row in columns(session, AlertEvent, ids, "alert_id")
        if row["kind"] is AlertEventKind.TOLD
    ]
    known = {row["contact_id"] for row in rows if row["contact_id"]}
    of = {row["id"]: row["connection_id"] for row in columns(session, Contact, known)}
    for row in rows:
        found[row["alert_id"]].append(
            TellingFacts(id=row["id"], at=row["at"], connection_id=of.get(row["contact_id"]))
        )
    return found
