"""The bytes of a document: opening, meta, elements.

https://hl7.org/fhir/R4/resource.html#Meta
"""

from datetime import UTC, datetime
from typing import Any

import orjson

from service.fhir.mapping import Draft

V3 = "http://terminology.hl7.org/CodeSystem/v3-"


def instant(stamp: int) -> str:
    """Return microseconds since 1970 as a FHIR instant."""
    seconds, fraction = divmod(stamp, 1_000_000)
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{fraction:06d}Z"


def head(resource_type: str, document_id: str, version: int, stamp: int) -> bytes:
    """Return the opening bytes of a document: everything that differs between equal versions."""
    return (
        f'{{"resourceType":"{resource_type}","id":"{document_id}","meta":{{"versionId":"{version}",'
        f'"lastUpdated":"{instant(stamp)}"'
    ).encode()


def tail(draft: Draft) -> bytes:
    """Return the rest of a document: profile and labels, then the elements."""
    opened = b"," + orjson.dumps(meta(draft))[1:]
    if draft.members is not None:
        own = {"resourceType", "id", "meta"}
        texts = (
            f",{orjson.dumps(k).decode()}:{v}" for k, v in draft.members.items() if k not in own
        )
        return opened + "".join(texts).encode() + b"}"
    body = orjson.dumps(draft.resource)
    return opened + (b"," + body[1:] if len(body) > len("{}") else b"}")


def meta(draft: Draft) -> dict[str, Any]:
    """Return `meta` without version and time: what a sender said there, under our labels."""
    said = draft.meta
    found: dict[str, Any] = {}
    if "source" in said:
        found["source"] = said["source"]
    if profiles := list(dict.fromkeys([*said.get("profile", ()), *draft.profiles])):
        found["profile"] = profiles
    ours = security(draft)
    system = V3 + "Confidentiality"
    found["security"] = [
        *ours,
        *(c for c in said.get("security", ()) if c.get("system") != system and c not in ours),
    ]
    if "tag" in said:
        found["tag"] = said["tag"]
    return found


def security(draft: Draft) -> list[dict[str, str]]:
    """Return `meta.security`: confidentiality, sensitivity and the Part 2 handling codes."""
    labels = draft.labels
    codings = [{"system": V3 + "Confidentiality", "code": labels.confidentiality.value}]
    if labels.sensitivity:
        codings.append({"system": V3 + "ActCode", "code": labels.sensitivity})
    if labels.part2:
        codings.append({"system": V3 + "ActCode", "code": "42CFRPart2"})
    return codings
