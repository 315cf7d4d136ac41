"""Seals: the heads of all writers' chains, in one chain of their own.

Each writer seals once a minute and when it ends, so that rows cut off the end of a chain are missed
by the seal that names them.
"""

from collections.abc import Iterable
from typing import Any, Protocol

from service.audit.chain import BEGINNING, Head, hash_of

LAST_SEAL = "SELECT number, seal FROM audit_seals ORDER BY number DESC LIMIT 1"
SEAL_COLUMNS = "number, at, writer, seq, hash, seal"


class Executing(Protocol):
    """A connection of either driver, within a transaction that nobody else seals in."""

    def execute(self, query: Any, params: Any = ..., /) -> Any:  # noqa: ANN401 - the drivers'
        """Execute one statement."""


def add_seals(connection: Executing, heads: Iterable[Head], at: int, *, mark: str) -> None:
    """Write one seal for each head; `mark` is the driver's place-holder."""
    marks = ", ".join([mark] * 6)
    insert = f"INSERT INTO audit_seals ({SEAL_COLUMNS}) VALUES ({marks})"  # noqa: S608 - ours
    number, before = connection.execute(LAST_SEAL).fetchone() or (0, BEGINNING)
    for head in heads:
        number += 1
        before = seal_of(number, at, head, bytes(before))
        connection.execute(insert, (number, at, *head, before))


def seal_of(number: int, at: int, head: Head, before: bytes) -> bytes:
    """Return the hash that seals a head, after the seal before."""
    return hash_of((number, at, head.writer, head.seq, head.hash.hex()), before)
