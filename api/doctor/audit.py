"""Whether audit rows have their months ahead, and whether any change still waits for its row."""

from collections.abc import Iterator
from datetime import datetime

from sqlmodel import Session

from api.doctor.findings import Finding, ok, warning
from service.audit import changes
from service.audit.partitions import missing
from service.clock import microseconds
from service.engine import create_engine, is_sqlite
from service.settings import Settings


def findings(settings: Settings, session: Session, now: datetime) -> Iterator[Finding]:
    engine = create_engine(settings.audit_url)
    try:
        if not is_sqlite(engine):
            with engine.connect() as connection:
                yield _months([str(each) for each in missing(connection, now)])
    finally:
        engine.dispose()
    if changes.waiting(session, microseconds(now) - 10 * changes.GRACE):
        yield warning(
            "audit-changes",
            "Changes have waited for their audit rows for long: serve, or `alongside audit verify`,"
            " completes them.",
        )
    else:
        yield ok("audit-changes", "No change waits for its audit row.")


def _months(without: list[str]) -> Finding:
    if without:
        return warning(
            "audit-months",
            f"The audit rows of {', '.join(without)} have no partition: `alongside migrate` or a"
            " running service creates it. Rows are kept all the same.",
        )
    return ok("audit-months", "The audit rows of the coming months have their partitions.")
