"""A page of audit rows that fulfil what SQL cannot tell: rows are looked through, so many at most.

https://hl7.org/fhir/R4/http.html#paging
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Generic, NamedTuple, TypeVar

from sqlalchemy import Engine

from service.audit.entries import AuditEntry
from service.audit.reading import Asked, read

T = TypeVar("T")

CHUNK = 500
MOST_CHUNKS = 40  # that one page looks through


class Page(NamedTuple, Generic[T]):
    """What was found, and after which row to go on; None where there is no more."""

    items: list[T]
    after: str | None


Open = Callable[[Sequence[AuditEntry]], Sequence[tuple[str, Sequence[T]]]]


def page(engine: Engine, asked: Asked, size: int, opened: Open[T]) -> Page[T]:
    """Return the next rows' items; `opened` yields each row's id with what is wanted of it.

    A row is never divided, so a page may be somewhat longer; one that looked through many rows in
    vain is shorter, and there is more to come.
    """
    items: list[T] = []
    for _ in range(MOST_CHUNKS):
        rows = read(engine, asked, CHUNK)
        for request_id, found in opened(rows):
            items += found
            if len(items) >= size:
                return Page(items, request_id)
        if len(rows) < CHUNK:
            return Page(items, None)
        asked = replace(asked, before=rows[-1].request_id)
    return Page(items, asked.before)
