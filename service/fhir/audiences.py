"""Who may read what about a patient: the links, policies and consents, as views.

DESIGN section 4: a fact about a person goes to the programme and to each hospital that the
person is linked to, as far as consent and policy let it.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlmodel import Session as DbSession
from sqlmodel import select

from service.disclosures import Declared, Disclosure, declared, next_change
from service.driver import as_uuid, chunks, columns, fetched, marks
from service.fhir.mapping import ALL, Audience, View
from service.models.connections import Connection, ConsentPolicy
from service.models.consents import Consent
from service.models.documents import PROGRAMME, PUBLIC
from service.models.facts import LinkFacts
from service.models.groups import Installation
from service.restrictions import restricted


def identifier_key(session: DbSession) -> bytes:
    """Return the key that FHIR ids are made with."""
    return session.exec(select(Installation.identifier_key)).one()


def public_audience(key: bytes) -> Audience:
    return Audience(number=PUBLIC, uid="public", key=key)


def programme_audience(key: bytes) -> Audience:
    return Audience(number=PROGRAMME, uid="programme", key=key)


def connection_audience(key: bytes, row: Any) -> Audience:  # noqa: ANN401 - any row of connections
    return Audience(
        number=row.number,
        uid=row.id.hex,
        key=key,
        connection_id=row.id,
        mrn_system=row.mrn_system,
    )


def connection_audiences(session: DbSession, key: bytes) -> dict[UUID, Audience]:
    """Return the audience of every connection, by the connection's id."""
    statement = select(Connection.id, Connection.number, Connection.mrn_system)
    return {row.id: connection_audience(key, row) for row in session.execute(statement)}


LINKS = (
    "SELECT l.patient_id, l.connection_id, l.ehr_patient_id, l.mrn, l.mrn_system, c.mrn_system,"
    " c.number, l.known_as_id, c.policy FROM links l JOIN connections c ON c.id = l.connection_id"
    " WHERE l.patient_id IN ({marks}) AND l.undone_at IS NULL ORDER BY l.id"
)


class LiveLink(NamedTuple):
    """A link with what its connection says."""

    patient_id: UUID
    connection_id: UUID
    ehr_patient_id: str
    mrn: str
    mrn_system: str
    system: str
    number: int
    known_as_id: UUID | None
    policy: ConsentPolicy


@dataclass
class Views:
    """The views of a set of patients, and when each patient's views change by themselves."""

    of: dict[UUID, list[View]] = field(default_factory=lambda: defaultdict(list))
    due: dict[UUID, datetime] = field(default_factory=dict)


def views(session: DbSession, key: bytes, patients: Iterable[UUID], now: datetime) -> Views:
    """Return who may read about each of these patients, the programme first.

    Views of the same hospital know all of these patients by the ids that it has for them.
    """
    ids = set(patients)
    found = Views()
    consents, changes = _consents(session, ids), defaultdict[UUID, list[datetime]](list)
    links: dict[tuple[UUID, UUID], list[LiveLink]] = defaultdict(list)
    for row in _live_links(session, ids):
        links[row.patient_id, row.connection_id].append(row)
    for patient_id in ids:
        known = [row for pair, rows in links.items() if pair[0] == patient_id for row in rows]
        everything = replace(ALL, links=_facts(known))
        found.of[patient_id].append(View(programme_audience(key), everything))
    known_ids = _known_ids(key, links)
    stopped = restricted(session, ids, now)
    for patient_id, until in stopped.items():
        if until is not None:
            changes[patient_id].append(until)
    for pair, rows in links.items():
        said = tuple(consents[pair])
        if change := next_change(said, now):
            changes[pair[0]].append(change)
        if pair[0] in stopped:  # no hospital has anything of them for now, whatever they permit
            continue
        given = Disclosure(policy=rows[0].policy, consents=said, now=now, links=_facts(rows))
        audience = replace(_audience_of(key, rows[0]), known=known_ids[pair[1]])
        found.of[pair[0]].append(View(audience, given))
    found.due = {patient: min(moments) for patient, moments in changes.items()}
    return found


def _known_ids(
    key: bytes, links: dict[tuple[UUID, UUID], list[LiveLink]]
) -> dict[UUID, dict[str, str]]:
    """Return for each hospital the ids of Patients that it knows by a record that was merged."""
    found: dict[UUID, dict[str, str]] = defaultdict(dict)
    for (patient_id, connection_id), rows in links.items():
        if (known_as := rows[0].known_as_id) is not None:
            audience = _audience_of(key, rows[0])
            shown = audience.id("Patient", f"patient:{known_as.hex}")
            found[connection_id][f"patient:{patient_id.hex}"] = shown
    return found


def _audience_of(key: bytes, row: LiveLink) -> Audience:
    return Audience(
        number=row.number,
        uid=row.connection_id.hex,
        key=key,
        connection_id=row.connection_id,
        mrn_system=row.system,
    )


def _facts(rows: list[LiveLink]) -> tuple[LinkFacts, ...]:
    return tuple(
        LinkFacts(
            connection_id=row.connection_id,
            ehr_patient_id=row.ehr_patient_id,
            mrn=row.mrn,
            mrn_system=row.mrn_system,
        )
        for row in rows
    )


def _live_links(session: DbSession, ids: set[UUID]) -> Iterable[LiveLink]:
    for part in chunks(ids):
        for patient, connection, *more, known_as, policy in fetched(
            session, marks(LINKS, part), part
        ):
            first = None if known_as is None else as_uuid(known_as)
            yield LiveLink._make(
                (as_uuid(patient), as_uuid(connection), *more, first, ConsentPolicy(policy))
            )


def _consents(session: DbSession, ids: set[UUID]) -> dict[tuple[UUID, UUID], list[Declared]]:
    found: dict[tuple[UUID, UUID], list[Declared]] = defaultdict(list)
    for row in columns(session, Consent, ids, "patient_id"):
        found[row["patient_id"], row["connection_id"]].append(declared(row))
    return found
