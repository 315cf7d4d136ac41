"""Whom a roster tells of: a Group is about its members, and its audit row names them.

https://hl7.org/fhir/R4/group.html
"""

import re
from collections.abc import Iterable

import orjson

from service.access import Access
from service.fhir.store_reader import StoreReader

ROSTER = "Group"
# In a relative address, in one of ours, or of one version; ids of other servers are nobody's here.
PERSON = re.compile(r"(?:^|/)Patient/([0-9a-f]{32})(?:/_history/[^/]+)?$")
KEYS = (
    "SELECT DISTINCT patient_key FROM documents WHERE audience = ? AND type = 'Patient'"
    " AND id IN ({marks}) AND patient_key IS NOT NULL"  # one who was erased has none
)


async def members(reader: StoreReader, access: Access, rosters: Iterable[bytes]) -> set[str]:
    """Return the keys of the patients whom these Groups list."""
    ids = {
        found[1]
        for content in rosters
        for member in orjson.loads(content).get("member", ())
        if (found := PERSON.search(member.get("entity", {}).get("reference", "")))
    }
    if not ids:
        return set()
    sql = KEYS.replace("{marks}", ", ".join("?" * len(ids)))
    return {key for (key,) in await reader.rows(sql, (access.audience, *ids))}
