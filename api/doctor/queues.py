"""What waits, or was begun and not ended."""

from collections.abc import Iterator
from datetime import datetime

from sqlmodel import Session

from api.doctor.findings import Finding, ok, warning
from fhir_mappings.registry import build_registry
from service import maintenance
from service.clock import microseconds
from service.fhir.rebuild import NAME as REBUILD
from service.fhir.rebuild import Older
from service.fhir.search_index import REVISION
from service.fhir.statements import rows_of
from service.upkeep import under_way

HOUR = 3_600_000_000
DUE = "SELECT count(*) FROM projection_due WHERE at <= ?"
EXPIRED = "SELECT count(*) FROM access_tokens WHERE expires_at <= ?"
UNINDEXED = "SELECT count(*) FROM documents WHERE audience >= 0 AND indexed < ?"
MANY_TOKENS = 1_000_000


def findings(session: Session, now: datetime) -> Iterator[Finding]:
    at = microseconds(now)
    yield _due(session, at)
    yield _tokens(session, at)
    yield _documents(session)
    yield _maintenance(session)


def _due(session: Session, at: int) -> Finding:
    overdue = int(rows_of(session, DUE, (at - HOUR,))[0][0])
    if overdue:
        return warning(
            "clock-due",
            f"{overdue} consents, offers, holds or questionnaires came to their time over an hour"
            " ago, and no request has come since: the next settles them, or `alongside settle`,"
            " from a timer.",
        )
    return ok("clock-due", "No consent, offer, hold or questionnaire that came to its time waits.")


def _tokens(session: Session, at: int) -> Finding:
    expired = int(rows_of(session, EXPIRED, (at,))[0][0])
    said = f"{expired} expired tokens are kept"
    if expired > MANY_TOKENS:
        return warning("expired-tokens", f"{said}: delete those of last year from access_tokens.")
    return ok("expired-tokens", f"{said}.")


def _documents(session: Session) -> Finding:
    older = Older(build_registry()).left(session, "")
    unindexed = int(rows_of(session, UNINDEXED, (REVISION,))[0][0])
    if unindexed:
        return warning("documents", f"{unindexed} documents have an old index: alongside migrate.")
    if older:
        return warning("documents", f"An older mapping made {older}: run `alongside rebuild`.")
    if under_way(session, REBUILD):
        return warning("documents", "A rebuild of everything was stopped: alongside rebuild --all.")
    return ok("documents", "Every document was made by the present mappings.")


def _maintenance(session: Session) -> Finding:
    if maintenance.status(session):
        return warning("maintenance", "Maintenance is on: `alongside maintenance off` ends it.")
    return ok("maintenance", "Maintenance is off.")
