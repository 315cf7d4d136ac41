"""Compares every stored document with a fresh rendering: what the projection promises.

DESIGN section 2: a row changes, and its documents follow in the same transaction. This is how
tests, and an operator who doubts it, see that they did.
"""

from collections.abc import Iterator

from sqlmodel import Session as DbSession
from sqlmodel import col, select

from service.fhir.document_bytes import head, tail
from service.fhir.documents import SELECT_ALL, Stored, stored_by_source
from service.fhir.mapping import Owner
from service.fhir.projection import DocumentProjector, Rendering
from service.fhir.publication import OURS
from service.fhir.sources import MEASUREMENT, STANDALONE, Sources
from service.models.base import Projected
from service.models.consents import Consent
from service.models.enrollments import Enrollment
from service.models.groups import Session, SupportGroup
from service.models.patients import Patient
from service.models.screening import Alert, Response

KINDS: tuple[tuple[type[Projected], str], ...] = (
    *STANDALONE,
    (SupportGroup, "group"),
    (SupportGroup, "roster"),
    (Patient, "patient"),
    (Enrollment, "enrollment"),
    (Response, "response"),
    (Consent, "consent"),
    (Alert, "alert"),
    (Enrollment, MEASUREMENT),
)


def all_sources(session: DbSession) -> Sources:
    """Return every source there is."""
    sources = Sources()
    for table, kind in KINDS:
        sources.add(kind, session.exec(select(table.id)).all())
    pairs = select(Session.id, Enrollment.patient_id).join(
        Enrollment, col(Enrollment.group_id) == col(Session.group_id)
    )
    sources.visits.update(session.exec(pairs).all())
    return sources


def differences(
    session: DbSession, projector: DocumentProjector, sources: Sources | None = None
) -> Iterator[str]:
    """Yield a sentence for each document that is stale, missing or should not exist.

    All documents are compared, or those of `sources`.
    """
    stored = _all(session) if sources is None else stored_by_source(session, sources.keys())
    current = {
        one: row
        for one, row in stored.items()
        # nothing renders what clients sent, nor definitions, which an installation publishes
        if not row.deleted and row.owner != Owner.CLIENT.value and not row.source.startswith(OURS)
    }
    key, now = projector.key(session), projector.clock()
    rendering = Rendering(projector.registry, session, key, now)
    for target in rendering.targets(sources or all_sources(session)):
        row = current.pop(target.id, None)
        name = f"{target.draft.type}/{target.id} for audience {target.audience.number}"
        if row is None:
            yield f"{name} is missing"
        elif row.content != _content(row, tail(target.draft)):
            yield f"{name} is stale"
    for row in current.values():
        yield f"{row.type}/{row.id} for audience {row.audience} should not exist"


def _all(session: DbSession) -> dict[str, Stored]:
    rows = session.connection().exec_driver_sql(SELECT_ALL)
    return {row[0]: Stored(*row) for row in rows}


def _content(row: Stored, rest: bytes) -> bytes:
    return head(row.type, row.shown_id, row.version, row.last_updated) + rest
