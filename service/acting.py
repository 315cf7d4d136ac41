"""Whose request a unit of work belongs to, so that a change is never without its trace.

What begins a request says so here; the unit of work writes it down in the transaction of the
change (ADR 0037). Threads that a request starts know of it too.
https://docs.python.org/3/library/contextvars.html
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

import orjson
from sqlmodel import Session

from service import driver
from service.guard import Touched


class Act(NamedTuple):
    """What is known of a request while it goes on; the fields are columns of `audit_changes`."""

    request_id: str
    client: str | None
    audience: int | None
    address: str | None
    method: str
    path: str
    person: str | None = None
    purpose: str | None = None


Telling = Callable[[], Act]

INSERT = (
    f"INSERT INTO audit_changes ({', '.join(Act._fields)}, at, patients)"  # noqa: S608 - ours
    f" VALUES ({', '.join('?' * (len(Act._fields) + 2))}) ON CONFLICT (request_id) DO NOTHING"
)
_telling: ContextVar[Telling | None] = ContextVar("acting", default=None)


@contextmanager
def acting(telling: Telling | None) -> Iterator[None]:
    """Let changes within be known as those of this request, or as nobody's.

    It is asked when a change is about to be committed.
    """
    token = _telling.set(telling)
    try:
        yield
    finally:
        _telling.reset(token)


def note(session: Session, touched: Touched, at: int) -> None:
    """Write down whose change this is, in its own transaction; nothing where nobody asked."""
    telling = _telling.get()
    if telling is not None:
        driver.execute(session, INSERT, (*telling(), at, _patients(touched)))


def _patients(touched: Touched) -> str | None:
    found = {
        key.hex
        for name, rows in touched.rows.items()
        for row in rows.values()
        if (key := row.id if name == "Patient" else getattr(row, "patient_id", None))
    }
    return orjson.dumps(sorted(found)).decode() if found else None
