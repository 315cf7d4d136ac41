"""The readable part of an export: what is held about one person, table by table.

It has no other member of any group: every row is found by the person's own records.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session as DbSession

from service.models.patients import Patient
from service.patients import survivor
from service.rows import get
from service.subjects.documents import audience_names, bundles, held
from service.subjects.holding import family_of, rows_of
from service.subjects.holdings import HOLDINGS
from service.subjects.words import Words, said


@dataclass(frozen=True)
class Section:
    """One table; a row has a text for each column."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Export:
    """Everything about one person: readable, and as a FHIR Bundle for each audience, by name."""

    person: UUID
    family: frozenset[UUID]
    made_at: str
    sections: tuple[Section, ...]
    bundles: dict[str, bytes]


def export(session: DbSession, patient_id: UUID, now: datetime, base: str) -> Export:
    """Return all that is held about the person; `base` is the address of the FHIR endpoint.

    Raises:
        NotFoundError: there is no such patient.
    """
    person = survivor(session, get(session, Patient, patient_id))
    family = family_of(session, person.id)
    sections = [*_tables(session, family), _documents(session, family)]
    return Export(
        person=person.id,
        family=frozenset(family),
        made_at=said(now),
        sections=tuple(sections),
        bundles=bundles(session, family, base),
    )


def _tables(session: DbSession, family: Collection[UUID]) -> list[Section]:
    words, found = Words(session), []
    for each in HOLDINGS:
        rows = tuple(
            tuple(words.of(row, column) for column in each.shows)
            for row in rows_of(session, each, family)
        )
        found.append(Section(each.title, tuple(each.shows.values()), rows))
    return found


def _documents(session: DbSession, family: Collection[UUID]) -> Section:
    """Return for whom documents about the person are kept now; what they say is in the Bundles."""
    names = audience_names(session)
    live = [(names[one.audience], one.type) for one in held(session, family) if not one.deleted]
    rows = tuple((who, kind, str(count)) for (who, kind), count in sorted(Counter(live).items()))
    return Section("Documents that can be read now", ("By", "Kind", "Number"), rows)
