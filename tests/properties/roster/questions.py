"""One question, and what it is made of: a client of the reader's hospital asks for an address."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson

from tests.properties.roster.knowing import Known

JSON = "application/fhir+json"
PATCH = "application/json-patch+json"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Question:
    """`pages` is how many pages more are asked for, each by the link that was answered.

    `path_alone` is the address in the other telling, where a link has times in it; `refused`
    says that nothing may come of it, such as of another client's link.
    """

    method: str
    path: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    pages: int = 0
    client: str | None = "full"  # None for nobody, anything else a client or its token
    path_alone: str | None = None
    refused: bool = False


Maker = Callable[[random.Random, Known], Question]


def get(path: str, *pairs: tuple[str, str], pages: int = 0, **headers: str) -> Question:
    return Question("GET", address(path, *pairs), b"", named(headers), pages)


def sent(method: str, path: str, body: Any, kind: str = JSON, **headers: str) -> Question:
    """A question with a body; one that is a text is sent as it is."""
    content = body.encode() if isinstance(body, str) else orjson.dumps(body)
    return Question(method, path, content, (("content-type", kind), *named(headers)))


def named(headers: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((name.replace("_", "-"), value) for name, value in headers.items())


def address(path: str, *pairs: tuple[str, str]) -> str:
    query = encoded(*pairs)
    return f"{path}?{query}" if query else path


def encoded(*pairs: tuple[str, str]) -> str:
    return "&".join(f"{quote(name, ':')}={quote(value, '/|,:')}" for name, value in pairs)
