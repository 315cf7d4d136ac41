"""Each writer's rows in a chain: a row's hash is over its content and the hash before it.

A row that is changed, taken out or put in breaks its writer's chain. What is cut off at the end is
found by the seals, which are a chain too, of all writers together (ADR 0031).
https://csrc.nist.gov/pubs/fips/180-4/upd1/final
"""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import orjson

from service.audit.entries import AuditEntry

BEGINNING = bytes(hashlib.sha256().digest_size)
WRITER_BYTES = 8


class Chained(NamedTuple):
    """A row with its place in a chain."""

    entry: AuditEntry
    writer: str
    seq: int
    hash: bytes

    @property
    def row(self) -> tuple[object, ...]:
        """Return it as the table's columns have it."""
        return (*self.entry, self.writer, self.seq, self.hash)


class Head(NamedTuple):
    """The last row of a writer's chain."""

    writer: str
    seq: int
    hash: bytes


def hash_of(content: Sequence[object], before: bytes) -> bytes:
    """Return the hash of a row or a seal: of what it says, after what came before."""
    return hashlib.sha256(before + orjson.dumps(list(content))).digest()


class Chain:
    """The chain of one writer. Not for use by several threads at once."""

    def __init__(self) -> None:
        self.head = Head(secrets.token_hex(WRITER_BYTES), 0, BEGINNING)

    def linked(self, entries: Iterable[AuditEntry]) -> list[Chained]:
        """Return these entries as the next rows; the chain goes on with `advance`."""
        writer, seq, last = self.head
        found = []
        for entry in entries:
            seq += 1
            last = hash_of((*entry, writer, seq), last)
            found.append(Chained(entry, writer, seq, last))
        return found

    def advance(self, rows: Sequence[Chained]) -> None:
        """Go on after these rows, which are committed."""
        self.head = Head(rows[-1].writer, rows[-1].seq, rows[-1].hash)


class Chains:
    """The chains that one writer object has had, and up to where each is sealed."""

    def __init__(self) -> None:
        self._ended: list[Head] = []
        self._sealed: dict[str, int] = {}

    def ended(self, chain: Chain) -> None:
        """Remember a chain that is given up, because nobody knows whether its last rows exist."""
        if chain.head.seq:
            self._ended.append(chain.head)

    def unsealed(self, current: Iterable[Chain]) -> list[Head]:
        """Return the heads that have moved since they were sealed."""
        heads = [*self._ended, *(chain.head for chain in current)]
        return [head for head in heads if head.seq > self._sealed.get(head.writer, 0)]

    def sealed(self, heads: Iterable[Head]) -> None:
        """Remember that these are sealed."""
        self._sealed |= {head.writer: head.seq for head in heads}
        self._ended = [each for each in self._ended if each.seq > self._sealed.get(each.writer, 0)]
