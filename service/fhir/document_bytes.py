"""The bytes of a document: opening, meta, elements.

https://hl7.org/fhir/R4/resource.html#Meta
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson

from service.fhir.mapping import Draft, Labels
from service.redisclosure import NO_REDISCLOSURE, PART_2, display_mark

V3 = "http://terminology.hl7.org/CodeSystem/v3-"


@lru_cache(maxsize=256)  # all documents of one unit of work have the same
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
    opened = _opened(draft)
    if draft.members is not None:
        own = {"resourceType", "id", "meta"}
        texts = (
            f",{orjson.dumps(k).decode()}:{v}" for k, v in draft.members.items() if k not in own
        )
        return opened + "".join(texts).encode() + b"}"
    body = orjson.dumps(draft.resource)
    return opened + (b"," + body[1:] if len(body) > len("{}") else b"}")


def meta(draft: Draft) -> Mapping[str, Any]:
    """Return `meta` without version and time: what a sender said there, under our labels."""
    if draft.meta:
        return _said(draft.meta, tuple(draft.profiles), draft.labels)
    return _plain(tuple(draft.profiles), draft.labels)


def _opened(draft: Draft) -> bytes:
    if draft.meta:
        return _bytes(meta(draft))
    return _plain_bytes(tuple(draft.profiles), draft.labels)


def _bytes(found: Mapping[str, Any]) -> bytes:
    return b"," + orjson.dumps(found)[1:]


@lru_cache(maxsize=256)
def _plain_bytes(profiles: tuple[str, ...], labels: Labels) -> bytes:
    return _bytes(_plain(profiles, labels))


@lru_cache(maxsize=256)  # few kinds of document have many documents
def _plain(profiles: tuple[str, ...], labels: Labels) -> Mapping[str, Any]:
    return _said({}, profiles, labels)


def _said(said: Mapping[str, Any], profiles: tuple[str, ...], labels: Labels) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "source" in said:
        found["source"] = said["source"]
    if labels.part2:
        found["extension"] = [display_mark()]
    if both := list(dict.fromkeys([*said.get("profile", ()), *profiles])):
        found["profile"] = both
    ours = security(labels)
    known = {(each["system"], each["code"]) for each in ours}
    system = V3 + "Confidentiality"
    found["security"] = [
        *ours,
        *(
            c
            for c in said.get("security", ())
            if c.get("system") != system and (c.get("system"), c.get("code")) not in known
        ),
    ]
    if "tag" in said:
        found["tag"] = said["tag"]
    return found


def security(labels: Labels) -> list[dict[str, str]]:
    """Return `meta.security`: confidentiality, sensitivities and the Part 2 handling codes."""
    codings = [{"system": V3 + "Confidentiality", "code": labels.confidentiality.value}]
    codes = [
        *(labels.sensitivity or "").split(),
        *((PART_2, NO_REDISCLOSURE) if labels.part2 else ()),
    ]
    return [*codings, *({"system": V3 + "ActCode", "code": code} for code in codes)]
