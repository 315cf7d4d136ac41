"""Versions in headers: ETag, If-Match, If-None-Match.

https://www.rfc-editor.org/rfc/rfc9110#name-conditional-requests
"""

import hashlib
import re
from typing import Annotated

from fastapi import Depends, Header
from pydantic import BaseModel

from service.errors import InvalidError

TAG = r'(?:W/)?"[\x21\x23-\x7e]*"'
TAGS = re.compile(rf"\s*{TAG}\s*(?:,\s*{TAG}\s*)*")
OURS = re.compile(r'(?:W/)?"(\d{1,18})"')
NO_VERSION = -1  # a well-formed tag that was never ours


def etag(version: int) -> str:
    return f'W/"{version}"'


def content_version(body: BaseModel) -> int:
    """Return a version of what is put together from many rows: it changes with the content."""
    content = body.model_dump_json(by_alias=True).encode()
    return int.from_bytes(hashlib.blake2b(content, digest_size=7).digest(), "big")


async def seen_version(
    if_match: Annotated[
        str | None,
        Header(
            alias="If-Match",
            description="The version that you have seen: 412 when it is not the current one",
            examples=['W/"1"'],
        ),
    ] = None,
) -> int | None:
    """Return the row version that the caller has seen, or None when it did not say."""
    if if_match is None or if_match.strip() == "*":
        return None
    if "," in if_match or not TAGS.fullmatch(if_match):
        raise InvalidError('must be one entity tag, as in W/"1"', element="If-Match")
    ours = OURS.fullmatch(if_match.strip())
    return int(ours[1]) if ours else NO_VERSION


SeenVersion = Annotated[int | None, Depends(seen_version)]


def is_known(if_none_match: str | None, version: int) -> bool:
    """Return whether the caller has this version, so that 304 says enough."""
    if if_none_match is None:
        return False
    if if_none_match.strip() == "*":
        return True
    return str(version) in OURS.findall(if_none_match)
