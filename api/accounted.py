"""What hospitals received of one person, as a FHIR Bundle of AuditEvents."""

from collections.abc import Collection, Iterable
from uuid import UUID

import orjson
from sqlmodel import Session

from api.audit_events import events_of
from api.context import Context
from service.audit.details import installation_key
from service.audit.entries import AuditEntry
from service.audit.reading import Opened, opened
from service.fhir.audiences import programme_audience


def bundle_of(
    context: Context, session: Session, rows: Iterable[AuditEntry], own: Collection[UUID]
) -> bytes:
    """Return the AuditEvents of rows that are about these records of one person.

    The person is known by the programme's ids; of whoever else a row is about it says nothing.
    """
    found = opened(session, installation_key(context.key), list(rows))
    told = [_about(row, own) for row in found]
    base = context.settings.public_base_url
    events = events_of(session, programme_audience(context.key), told, base)
    entries = [
        {"fullUrl": f"{base}/fhir/AuditEvent/{each['id']}", "resource": each} for each in events
    ]
    body = {"resourceType": "Bundle", "type": "collection"}
    return orjson.dumps(body | ({"entry": entries} if entries else {}))


def _about(row: Opened, own: Collection[UUID]) -> Opened:
    """Return what a row says of this person: an address that others are in may name them."""
    patients = tuple(each for each in row.patients if each in own)
    if len(patients) == len(row.patients):
        return row
    return row._replace(patients=patients, path=row.entry.path, query=None)
