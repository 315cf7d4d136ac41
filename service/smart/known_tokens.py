"""What was looked up of access tokens a moment ago, so that a client's next request need not ask.

A token or client that was turned off is refused on every process once the moment is over.
https://www.rfc-editor.org/rfc/rfc7009#section-2.1
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

MOST = 10_000

Row = Sequence[Any]


class KnownTokens:
    """Rows of `tokens.SELECT_ACCESS` by the token's hash, each for `seconds`; 0 remembers none."""

    def __init__(self, seconds: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._monotonic = monotonic
        self._rows: dict[str, tuple[float, Row]] = {}
        self._forgotten = float("-inf")

    def now(self) -> float:
        """Return the moment to remember a row by: the one before the database was asked."""
        return self._monotonic()

    def get(self, token_hash: str) -> Row | None:
        """Return the row, if the database was asked not long ago."""
        known = self._rows.get(token_hash)
        if known is None or self._monotonic() - known[0] >= self._seconds:
            return None
        return known[1]

    def put(self, token_hash: str, row: Row, asked: float) -> None:
        """Remember a row; what is unknown is never remembered, for it may be issued at any time.

        Nor is what was asked for before a token was forgotten: it may be that token, as it was.
        """
        if asked <= self._forgotten:
            return
        if len(self._rows) >= MOST:
            self._rows.clear()
        self._rows[token_hash] = (asked, row)

    def clear(self) -> None:
        """Forget them all, since a client was turned off."""
        self._forgotten = self._monotonic()
        self._rows.clear()

    def forget(self, token_hash: str) -> None:
        """Forget a token that was revoked, so that this process refuses it at once."""
        self._forgotten = self._monotonic()
        self._rows.pop(token_hash, None)
