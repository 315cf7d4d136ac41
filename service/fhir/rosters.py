"""Whom a roster tells of: a Group is about its members, and its audit row names them.

https://hl7.org/fhir/R4/group.html
"""

from collections.abc import Iterable

import orjson

from service.access import Access
from service.fhir.store_reader import StoreReader

ROSTER = "Group"
KEYS = (
    "SELECT DISTINCT patient_key FROM documents WHERE audience = ? AND type = 'Patient'"
    " AND id IN ({marks})"
)


async def members(reader: StoreReader, access: Access, rosters: Iterable[bytes]) -> set[str]:
    """Return the keys of the patients whom these Groups list."""
    ids = {
        member["entity"]["reference"].removeprefix("Patient/")
        for content in rosters
        for member in orjson.loads(content)["member"]
    }
    if not ids:
        return set()
    sql = KEYS.replace("{marks}", ", ".join("?" * len(ids)))
    return {key for (key,) in await reader.rows(sql, (access.audience, *ids))}
