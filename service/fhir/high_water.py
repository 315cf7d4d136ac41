"""The label of a Bundle: the highest confidentiality in it, and every other mark of its entries.

https://hl7.org/fhir/R4/security-labels.html#core
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import orjson

from service.fhir.document_bytes import V3
from service.redisclosure import PART_2, display_mark

CONFIDENTIALITY, ACT = f"{V3}Confidentiality", f"{V3}ActCode"
RANKS = "NRV"
OPENING = b'"security":['


def high_water(contents: Iterable[bytes]) -> bytes:
    """Return the `meta` of a Bundle of these resources, empty where there is none of them.

    Their labels stand at their beginning, as the store writes them; they are not parsed for it.
    """
    found = {_labels(content) for content in contents if content}
    if not found:
        return b""
    return _meta(frozenset(found))


@lru_cache(maxsize=512)  # few kinds of document have many documents
def _meta(labels: frozenset[bytes]) -> bytes:
    codings = [each for text in labels for each in orjson.loads(text)]
    codes = {each.get("code") for each in codings if each.get("system") == CONFIDENTIALITY}
    highest = max((RANKS.find(str(code)) for code in codes), default=0)
    acts = {str(each.get("code")) for each in codings if each.get("system") == ACT}
    security = [{"system": CONFIDENTIALITY, "code": RANKS[max(highest, 0)]}]
    security += [{"system": ACT, "code": code} for code in sorted(acts)]
    meta: dict[str, Any] = {"extension": [display_mark()]} if PART_2 in acts else {}
    return b'"meta":' + orjson.dumps({**meta, "security": security})


def _labels(content: bytes) -> bytes:
    start = content.find(OPENING)
    if start < 0:
        return b"[]"
    start += len(OPENING) - 1
    found = content[start : content.index(b"]", start) + 1]
    if found.count(b"[") == 1:
        return found
    labels = orjson.loads(content).get("meta", {}).get("security", [])  # one has an extension
    return orjson.dumps(labels)
