"""Encrypts every secret by the present key, some at a time, while the service runs (ADR 0040).

What was stopped goes on: a row says which key encrypted it. A new column with a secret that must
be read again takes its place in ENCRYPTED.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from sqlmodel import Session

from service.database import Database
from service.driver import execute, fetched
from service.encryption import Cipher, named_key

AT_ONCE = 100
FIRST = "00000000-0000-0000-0000-000000000000"

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Encrypted:
    """A column whose secrets are encrypted, and the key of its table."""

    table: str
    column: str
    key: str = "id"

    def after(self, session: Session, key: object, most: int) -> list[tuple[object, str]]:
        """Return some secrets, in the order of their keys."""
        sql = (
            f"SELECT {self.key}, {self.column} FROM {self.table}"  # noqa: S608 - names of our own
            f" WHERE {self.column} IS NOT NULL AND {self.key} > ? ORDER BY {self.key} LIMIT ?"
        )
        return [(row[0], row[1]) for row in fetched(session, sql, (key, most))]

    def replace(self, session: Session, key: object, was: str, becomes: str) -> None:
        """Write a secret, unless somebody has changed it meanwhile."""
        sql = (
            f"UPDATE {self.table} SET {self.column} = ?"  # noqa: S608 - names of our own
            f" WHERE {self.key} = ? AND {self.column} = ?"
        )
        execute(session, sql, (becomes, key, was))


ENCRYPTED = (
    Encrypted("signing_keys", "private"),
    Encrypted("contacts", "secret"),
    Encrypted("issuers", "introspection_secret", "client_id"),
    Encrypted("broken_glass", "reason"),
)


def rewrap(database: Database, cipher: Cipher, progress: Progress | None = None) -> int:
    """Encrypt by the present key what another one encrypted; return how many there were.

    `progress` is told how many secrets were looked at, of how many.

    Raises:
        SecretsError: none of the keys opens one of them.
    """
    total = sum(database.read(keys_in_use).values())
    seen = done = 0
    for each in ENCRYPTED:
        key: object = FIRST if not database.sqlite else ""
        while rows := database.read(partial(each.after, key=key, most=AT_ONCE)):
            older = [row for row in rows if not cipher.is_current(row[1])]
            if older:
                database.unit_of_work(partial(_again, cipher=cipher, column=each, rows=older))
            key, seen, done = rows[-1][0], seen + len(rows), done + len(older)
            if progress is not None:
                progress(seen, max(total, seen))
    return done


def _again(
    session: Session, cipher: Cipher, column: Encrypted, rows: list[tuple[object, str]]
) -> None:
    for key, kept in rows:
        column.replace(session, key, kept, cipher.encrypt(cipher.decrypt(kept)))


def keys_in_use(session: Session) -> Counter[str]:
    """Return how many secrets each key has encrypted, by the key's id."""
    found = Counter[str]()
    for each in ENCRYPTED:
        sql = (
            f"SELECT {each.column} FROM {each.table}"  # noqa: S608 - names of our own
            f" WHERE {each.column} IS NOT NULL"
        )
        found.update(named_key(kept) for (kept,) in fetched(session, sql))
    return found


def unreadable(session: Session, cipher: Cipher) -> int:
    """Return how many secrets none of the keys opens."""
    smallest: object = "" if session.get_bind().dialect.name == "sqlite" else FIRST
    rows = [row for each in ENCRYPTED for row in each.after(session, smallest, 1_000_000)]
    return sum(not cipher.can_read(kept) for _, kept in rows)
