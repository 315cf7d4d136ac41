"""The accounting of disclosures: which hospital got what of one person, when and for what purpose.

https://www.ecfr.gov/current/title-45/section-164.528
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import Engine
from sqlmodel import Session, select

from service.audit.entries import UNSENT, AuditEntry
from service.audit.reading import Asked, read
from service.models.connections import Connection
from service.models.documents import FIRST_CONNECTION

MOST = 5000  # that one accounting tells
CHUNK = 1000
FAILED = 400  # an answer of this status or above told nothing of the person


@dataclass(frozen=True)
class Recipient:
    """One hospital with the rows by which it got something, the newest first."""

    connection_id: UUID
    name: str
    rows: list[AuditEntry]


@dataclass(frozen=True)
class Accounting:
    """All recipients, by name; where it is not `complete` there were older rows."""

    recipients: list[Recipient]
    complete: bool

    @property
    def rows(self) -> list[AuditEntry]:
        found = [row for each in self.recipients for row in each.rows]
        return sorted(found, key=lambda row: row.request_id, reverse=True)


def account(
    session: Session, engine: Engine, names: Collection[str], asked: Asked | None = None
) -> Accounting:
    """Return who got what of the person whom rows call by these names."""
    rows, complete = _rows(engine, replace(asked or Asked(), patients=names))
    by_audience: dict[int, list[AuditEntry]] = defaultdict(list)
    for row in rows:
        by_audience[row.audience or 0].append(row)
    connections = session.exec(select(Connection)).all()
    known = [each for each in connections if each.number in by_audience]
    recipients = [Recipient(each.id, each.name, by_audience[each.number]) for each in known]
    return Accounting(sorted(recipients, key=lambda each: each.name), complete)


def _rows(engine: Engine, asked: Asked) -> tuple[list[AuditEntry], bool]:
    found: list[AuditEntry] = []
    while len(found) < MOST:
        rows = read(engine, asked, CHUNK)
        found += [row for row in rows if _told(row)]
        if len(rows) < CHUNK:
            return found, True
        asked = replace(asked, before=rows[-1].request_id)
    return found[:MOST], False


def _told(row: AuditEntry) -> bool:
    """Tell whether a hospital got something by this row; what it sent and changed counts too."""
    is_hospital = row.audience is not None and row.audience >= FIRST_CONNECTION
    return is_hospital and UNSENT < row.status < FAILED
