"""Moves SQLite's write-ahead log into the database in a thread, so that no commit waits for it.

Left to itself SQLite does so within a commit, and its fsync holds up everyone behind it.
https://www.sqlite.org/wal.html#ckpt
"""

import sqlite3
import threading
from contextlib import suppress
from pathlib import Path

COMMITS = 500
LARGE_BYTES = 64 * 1024 * 1024


class Checkpoints:
    """A thread for one database file; it starts with the first commits and ends with `close`."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._commits = 0
        self._due = threading.Event()
        self._closed = False
        self._thread: threading.Thread | None = None

    def committed(self) -> None:
        """Count a commit; called by whoever holds the writer's lock."""
        self._commits += 1
        if self._commits < COMMITS:
            return
        self._commits = 0
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)
            self._thread.start()
        self._due.set()

    def now(self) -> None:
        """Make one at once, after a transaction that may have made the log very long."""
        connection = sqlite3.connect(self._path, isolation_level=None)
        try:
            with suppress(sqlite3.OperationalError):  # in use: the next one will do
                self._checkpoint(connection)
        finally:
            connection.close()

    def close(self) -> None:
        """End the thread; SQLite makes the last checkpoint when the last connection closes."""
        self._closed = True
        self._due.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        connection = sqlite3.connect(self._path, isolation_level=None)
        try:
            while self._due.wait() and not self._closed:
                self._due.clear()
                with suppress(sqlite3.OperationalError):  # locked: the next one will do
                    self._checkpoint(connection)
        finally:
            connection.close()

    def _checkpoint(self, connection: sqlite3.Connection) -> None:
        """Never wait for writers, save when the log has grown large under their constant load."""
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        log = Path(self._path + "-wal")
        if log.exists() and log.stat().st_size > LARGE_BYTES:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
