"""What the documents' file says of what was taken away, asked once for a batch of audit rows.

https://www.sqlite.org/uri.html
"""

import sqlite3
import threading
from contextlib import suppress

from service.audit.entries import Told
from service.engine import normalised, sqlite_file

EPOCHS = "SELECT audience, epoch FROM disclosure_epochs"  # a row for each hospital, at most


class Epochs:
    """A connection that cannot write, opened when it is first needed."""

    def __init__(self, database_url: str) -> None:
        url = normalised(database_url)
        self._address = None
        if url.startswith("sqlite"):
            self._address = f"{sqlite_file(url).resolve().as_uri()}?mode=ro"
        self._connection: sqlite3.Connection | None = None
        self._lock = threading.Lock()

    def read(self) -> Told:
        """Return the epoch of each audience from which something was taken.

        None where the documents are elsewhere or cannot be read: whoever needs to know asks there.
        """
        if self._address is None:
            return None
        with self._lock, suppress(sqlite3.Error):  # the row is written all the same
            if self._connection is None:
                self._connection = sqlite3.connect(
                    self._address, uri=True, isolation_level=None, check_same_thread=False
                )
            return dict(self._connection.execute(EPOCHS).fetchall())
        return None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
