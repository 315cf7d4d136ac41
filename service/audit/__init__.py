"""One audit row for every request, committed before the answer's first byte (ADR 0006).

The rows of a writer are a chain, and seals are a chain of all (ADR 0031).
https://hl7.org/fhir/R4/security.html#audit
"""

from sqlalchemy import make_url

from service.audit.entries import AuditEntry, AuditWriter
from service.audit.postgresql import PostgresqlAudit
from service.audit.sqlite import SqliteAudit
from service.audit.tables import prepare
from service.clock import Clock, system_clock
from service.engine import sqlite_file

__all__ = ["AuditEntry", "AuditWriter", "PostgresqlAudit", "SqliteAudit", "open_audit", "prepare"]


def open_audit(
    url: str, clock: Clock = system_clock, *, documents: str | None = None
) -> AuditWriter:
    """Return the writer for this database; `documents` is where the documents are, if it asks."""
    if not url.startswith("sqlite"):
        return PostgresqlAudit(url, clock, telling=url == documents)
    path = str(sqlite_file(url)) if make_url(url).database else ":memory:"
    return SqliteAudit(path, clock, documents=documents)
