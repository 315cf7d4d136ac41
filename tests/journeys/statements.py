"""Records the statements that a request runs, in both drivers, without the values in them.

https://www.sqlite.org/c3ref/trace_v2.html
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

STRING = re.compile(r"[xX]?'(?:[^']|'')*'")
NUMBER = re.compile(r"(?<![\w?$])-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\b")
# Run once in a while, whoever asks: what is remembered of tokens, the horizon, and upkeep.
ONCE_IN_A_WHILE = (
    "access_tokens", "FROM upkeep", "pg_stat_activity", "audit_entries", "audit_keys", "PRAGMA",
)  # fmt: skip


def normalised(sql: Any) -> str:
    text = sql.decode() if isinstance(sql, bytes) else str(sql)
    return re.sub(r"\s+", " ", NUMBER.sub("?", STRING.sub("?", text))).strip()


class Recorder:
    """The statements since `begin`, in their order."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def begin(self) -> None:
        self.statements.clear()

    def __call__(self, sql: Any) -> None:
        text = normalised(sql)
        if text and not any(word in text for word in ONCE_IN_A_WHILE):
            self.statements.append(text)


@contextmanager
def recording() -> Iterator[Recorder]:
    """Record every statement of connections that are opened from here on."""
    recorder, connect = Recorder(), sqlite3.connect

    def traced(*args: Any, **more: Any) -> sqlite3.Connection:
        connection = connect(*args, **more)
        if ":memory:" not in args:
            connection.set_trace_callback(recorder)
        return connection

    with pytest.MonkeyPatch.context() as patch:
        for module in (sqlite3, sqlite3.dbapi2):
            patch.setattr(module, "connect", traced)
        for cursor in (psycopg.Cursor, psycopg.AsyncCursor):
            for name in ("execute", "executemany"):
                patch.setattr(cursor, name, _noting(getattr(cursor, name), recorder))
        yield recorder


def _noting(method: Any, recorder: Recorder) -> Any:
    def noted(self: Any, query: Any, *args: Any, **more: Any) -> Any:
        recorder(query)
        return method(self, query, *args, **more)

    return noted
