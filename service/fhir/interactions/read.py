"""FHIR read interaction.

https://hl7.org/fhir/R4/http.html#read
"""

from service.access import Access
from service.fhir.endpoint import Answer, Endpoint, absent, require, served

ID_LENGTH = 32

# By id, then the access filter: the type, the audience or the public, not deleted, the ceiling.
CURRENT = (
    "SELECT version, last_updated, content, patient_key FROM documents WHERE id = ? AND type = ?"
    " AND audience IN (?, ?) AND NOT deleted AND confidentiality <= ?"
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
    await endpoint.settle()
    args = (document_id, name, *access.audiences, access.ceiling)
    rows = await endpoint.reader.rows(CURRENT, args)
    if not rows:
        raise absent(name)
    version, last_updated, content, patient = rows[0]
    return Answer(200, content, version, last_updated, patients=(patient,) if patient else ())
