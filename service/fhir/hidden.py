"""Why a caller was not shown what is there: for the audit row alone, never for the answer.

It is asked of every id that is not found, so that no answer takes longer than another.
https://profiles.ihe.net/ITI/BALP/content.html
"""

from typing import NamedTuple

from service.access import Access
from service.errors import NotFoundError
from service.fhir.endpoint import Endpoint
from service.fhir.interactions.read import stored_id

LABEL, CONSENT = "label", "consent"
# What was taken away is a tombstone whose past is sealed (ADR 0007).
WITHHELD = (
    "SELECT d.confidentiality <= ? AS within, d.purposes & ? = 0, d.deleted AND EXISTS"
    " (SELECT 1 FROM document_versions v WHERE v.id = d.id AND v.sealed), d.deleted, d.patient_key"
    " FROM documents d"
    " WHERE d.id = ? AND d.type = ? AND d.audience IN (?, ?)"
)


class Withheld(NamedTuple):
    """What hides a document, and the key of the patient whom it is about."""

    decision: str
    patient: str | None


async def withheld(
    endpoint: Endpoint, access: Access, name: str, document_id: str
) -> Withheld | None:
    """Return whether a label or a consent hides this document from the caller."""
    try:
        stored = stored_id(endpoint, access, name, document_id)
    except NotFoundError:
        return None
    asked = (*access.limits, stored, name, *access.audiences)
    for row in await endpoint.reader.rows(WITHHELD, asked):
        within, other_purpose, taken, deleted, patient = row
        if taken or (other_purpose and not deleted):
            return Withheld(CONSENT, patient)
        if not within and not deleted:
            return Withheld(LABEL, patient)
    return None
