"""FHIR read interaction.

https://hl7.org/fhir/R4/http.html#read
"""

from service.access import Access
from service.clock import microseconds
from service.fhir.endpoint import Answer, Endpoint, absent, require, served
from service.fhir.rosters import ROSTER, members

ID_LENGTH = 32

# By id, then the access filter: the type, the audience or the public, not deleted, the ceiling.
# One row comes always: its first column says whether a consent has begun or ended by the clock.
CURRENT = (
    "SELECT EXISTS (SELECT 1 FROM projection_due WHERE at <= ?), d.version, d.last_updated,"
    " d.content, d.patient_key FROM (SELECT 1 AS one) o LEFT JOIN documents d ON d.id = ?"
    " AND d.type = ? AND d.audience IN (?, ?) AND NOT d.deleted AND d.confidentiality <= ?"
)


async def read(endpoint: Endpoint, access: Access, name: str, document_id: str) -> Answer:
    """Return the current version."""
    served(endpoint.registry, name)
    require(access, name, "r")
    return await current(endpoint, access, name, document_id)


async def current(endpoint: Endpoint, access: Access, name: str, document_id: str) -> Answer:
    """Return the current version, or raise NotFoundError where the caller may see none."""
    if len(document_id) != ID_LENGTH or not document_id.isalnum():
        raise absent(name)
    now = microseconds(endpoint.clock())
    args = (now, document_id, name, *access.audiences, access.ceiling)
    ((due, *found),) = await endpoint.reader.rows(CURRENT, args)
    if due:
        await endpoint.settle()
        ((_, *found),) = await endpoint.reader.rows(CURRENT, args)
    version, last_updated, content, patient = found
    if version is None:
        raise absent(name)
    if name == ROSTER:
        listed = await members(endpoint.reader, access, [content])
        return Answer(200, content, version, last_updated, patients=listed)
    return Answer(200, content, version, last_updated, patients=(patient,) if patient else ())
