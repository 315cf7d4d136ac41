"""FHIR vread interaction: one version, while its document is visible (ADR 0007).

https://hl7.org/fhir/R4/http.html#vread
"""

import zlib

from service.access import Access
from service.errors import NotFoundError
from service.fhir.endpoint import Answer, Endpoint, gone, require, served
from service.fhir.history import Version
from service.fhir.interactions.read import latest, stored_id
from service.fhir.scope_judging import Candidate, granted

LONGEST_VERSION = 18

OLDER = (
    "SELECT last_updated, content, deleted FROM document_versions WHERE id = ? AND version = ?"
    " AND NOT sealed AND confidentiality <= ? AND purposes & ? <> 0"
)


async def vread(
    endpoint: Endpoint, access: Access, name: str, document_id: str, version: str
) -> Answer:
    """Return the version.

    Raises:
        NotFoundError: there is none that the caller may see.
        GoneError: it is the one by which a client deleted the document.
    """
    kind = served(endpoint.registry, name)
    require(access, name, "r")
    now, deleted = await latest(endpoint, access, name, document_id)
    if version == str(now.version):
        if deleted:
            raise gone(name)
        return now
    if kind.current_only or not _is_number(version):
        raise _absent_version(name)
    args = (stored_id(endpoint, access, name, document_id), int(version), *access.limits)
    rows = await endpoint.reader.rows(OLDER, args)
    if not rows:
        raise _absent_version(name)
    last_updated, packed, was_deleted = rows[0]
    body = zlib.decompress(packed)
    older = Version(name, document_id, int(version), last_updated, body, deleted=bool(was_deleted))
    key = next(iter(now.patients), None)
    if not await granted(endpoint, access, [(Candidate(older, args[0], key), older)]):
        raise _absent_version(name)
    if was_deleted:
        raise gone(name)
    return Answer(200, body, int(version), last_updated, patients=now.patients)


def _is_number(version: str) -> bool:
    return version.isascii() and version.isdecimal() and len(version) <= LONGEST_VERSION


def _absent_version(name: str) -> NotFoundError:
    return NotFoundError(f"there is no such version of this {name}")
