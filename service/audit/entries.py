"""What one audit row says, and what writes such rows."""

import asyncio
from collections.abc import Mapping
from typing import NamedTuple, Protocol

from service.errors import BusyError

BUSY_SECONDS = 2.0
FIRST_FIELDS = 11  # of rows from before there were pseudonyms, as their hashes have them

RECOVERED = "recovered"  # a change whose request ended before its row was written
DISCLOSURE = "disclosure"  # what was sent, rather than fetched
UNSENT = 0  # the status of an answer that nobody got


Told = Mapping[int, int] | None


class AuditEntry(NamedTuple):
    """Who asked for what, when, and how it ended; the fields are the table's first columns."""

    request_id: str
    at: int
    client: str | None
    audience: int | None
    address: str | None
    method: str
    path: str
    query: str | None
    status: int
    patients: str | None = None
    caller_id: str | None = None
    person: str | None = None
    purpose: str | None = None
    decision: str | None = None
    kind: str | None = None
    detail: str | None = None


COLUMNS = (*AuditEntry._fields, "writer", "seq", "hash")


class AuditWriter(Protocol):
    """Writes audit rows; raises BusyError where it cannot, and then nothing may be answered."""

    async def write(self, entry: AuditEntry) -> Told:
        """Return when the row is committed, with what the database told along.

        That is how often something was taken from the row's audience, and from the public, where
        rows are in the same database and elsewhere None (ADR 0036).
        """

    def write_now(self, entry: AuditEntry) -> None:
        """Do the same, for a command line; the row is sealed too."""

    def seal(self) -> None:
        """Seal the rows that were written since the last time."""

    def close(self) -> None:
        """Seal, and close the connection."""


def unwritten() -> BusyError:
    """Return the error of a row that could not be written."""
    return BusyError("the audit row could not be written, so nothing is answered")


Waiting = tuple[AuditEntry, "asyncio.Future[Told]"]


def settle(waiting: list[Waiting], failure: BusyError | None, told: Told = None) -> None:
    """Let those who wait for a row go on, or tell them that there is none."""
    for _, future in waiting:
        if future.done():  # who waited has gone away
            continue
        if failure is None:
            future.set_result(told)
        else:
            future.set_exception(failure)
