"""Audit rows as the privacy officer would read them: opened, with ids in place of pseudonyms."""

import orjson

from api.context import Context
from service.audit.details import installation_key
from service.audit.entries import AuditEntry
from service.audit.reading import Asked, opened, read
from service.engine import create_engine


def opened_rows(context: Context) -> list[AuditEntry]:
    """Every row, the oldest first."""
    engine = create_engine(context.settings.audit_url)
    entries = sorted(read(engine, Asked(), 100_000), key=lambda row: (row.at, row.request_id))
    engine.dispose()
    key = installation_key(context.key)
    found = context.database.read(lambda session: opened(session, key, entries))
    return [
        each.entry._replace(
            path=each.path,
            query=each.query,
            patients=orjson.dumps(sorted(one.hex if one else "" for one in each.patients)).decode()
            if each.patients
            else None,
        )
        for each in found
    ]
