"""FHIR vread interaction: one version, while its document is visible (ADR 0007).

https://hl7.org/fhir/R4/http.html#vread
"""

import zlib

from service.access import Access
from service.errors import NotFoundError
from service.fhir.endpoint import Answer, Endpoint, require, served
from service.fhir.interactions.read import current

LONGEST_VERSION = 18

OLDER = (
    "SELECT last_updated, content FROM document_versions WHERE id = ? AND version = ?"
    " AND NOT sealed AND NOT deleted AND confidentiality <= ?"
)


async def vread(
    endpoint: Endpoint, access: Access, name: str, document_id: str, version: str
) -> Answer:
    """Return the version."""
    kind = served(endpoint.registry, name)
    require(access, name, "r")
    now = await current(endpoint, access, name, document_id)
    if version == str(now.version):
        return now
    if kind.current_only or not _is_number(version):
        raise _absent_version(name)
    args = (document_id, int(version), access.ceiling)
    rows = await endpoint.reader.rows(OLDER, args)
    if not rows:
        raise _absent_version(name)
    last_updated, packed = rows[0]
    body = zlib.decompress(packed)
    return Answer(200, body, int(version), last_updated, patients=now.patients)


def _is_number(version: str) -> bool:
    return version.isascii() and version.isdecimal() and len(version) <= LONGEST_VERSION


def _absent_version(name: str) -> NotFoundError:
    return NotFoundError(f"there is no such version of this {name}")
