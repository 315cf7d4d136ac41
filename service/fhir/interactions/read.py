"""FHIR read interaction.

https://hl7.org/fhir/R4/http.html#read
"""

from service.access import Access
from service.clock import microseconds
from service.fhir.endpoint import Answer, Endpoint, absent, gone, require, served
from service.fhir.identity import ID, caller_audience, is_given, storage_id
from service.fhir.rosters import ROSTER, members
from service.fhir.search import limited

# By id, then the access filter: the type, the audience or the public, not deleted, the ceiling.
# What a client deleted comes too, for it is answered otherwise. One row comes always: its first
# column says whether a consent has begun or ended by the clock.
CURRENT = (
    "SELECT EXISTS (SELECT 1 FROM projection_due WHERE at <= ?), d.version, d.last_updated,"
    " d.content, d.patient_key, d.deleted, d.chosen_id FROM (SELECT 1 AS one) o"
    " LEFT JOIN documents d ON d.id = ? AND d.type = ? AND d.audience IN (?, ?)"
    " AND (NOT d.deleted OR d.owner = 'client') AND d.confidentiality <= ? AND d.purposes & ? <> 0"
)


async def read(endpoint: Endpoint, access: Access, name: str, document_id: str) -> Answer:
    """Return the current version."""
    served(endpoint.registry, name)
    require(access, name, "r")
    return await current(endpoint, access, name, document_id)


async def current(
    endpoint: Endpoint, access: Access, name: str, document_id: str, letters: str = "r"
) -> Answer:
    """Return the current version, where one of these letters is granted on it.

    Raises:
        NotFoundError: the caller may see none.
        GoneError: a client deleted what the caller could see.
    """
    answer, deleted = await latest(endpoint, access, name, document_id, letters)
    if deleted:
        raise gone(name)
    return answer


async def latest(
    endpoint: Endpoint, access: Access, name: str, document_id: str, letters: str = "r"
) -> tuple[Answer, bool]:
    """Return the current version, and whether it is the tombstone of what a client deleted."""
    stored = stored_id(endpoint, access, name, document_id)
    now = microseconds(endpoint.clock())
    asked = (now, stored, name, *access.audiences, *access.limits)
    sql, args = limited(CURRENT, asked, endpoint.limits(access, [name], letters))
    ((due, *found),) = await endpoint.reader.rows(sql, args)
    if due:
        await endpoint.settle()
        ((_, *found),) = await endpoint.reader.rows(sql, args)
    version, last_updated, content, patient, deleted, chosen = found
    if version is None or (chosen is not None and chosen != document_id):
        raise absent(name)
    if name == ROSTER and not deleted:
        listed = await members(endpoint.reader, access, [content])
        return Answer(200, content, version, last_updated, patients=listed), False
    patients = (patient,) if patient else ()
    return Answer(200, content, version, last_updated, patients=patients), bool(deleted)


def stored_id(endpoint: Endpoint, access: Access, name: str, document_id: str) -> str:
    """Return the id under which the caller's document is stored.

    Raises:
        NotFoundError: it cannot be an id.
    """
    if is_given(document_id):
        return document_id
    if not ID.fullmatch(document_id):
        raise absent(name)
    return storage_id(caller_audience(endpoint.key, access), name, document_id)
