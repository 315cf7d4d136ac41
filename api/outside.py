"""Tokens of issuers outside, as a request asks: off the event loop, and remembered for a moment.

https://www.rfc-editor.org/rfc/rfc7662#section-4
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from anyio import CapacityLimiter, to_thread

from service.errors import BusyError
from service.fhir.store_reader import StoreReader
from service.smart.assertions import claimed
from service.smart.issuers import SELECT_ISSUERS, KnownIssuer, known
from service.smart.limiting import Limiter
from service.smart.messages import TooManyRequestsError
from service.smart.outside import OutsideTokens, RefusedTokenError, Row

MOST = 10_000
THREADS = 4  # that wait for one issuer

log = logging.getLogger("alongside.smart")


@dataclass(kw_only=True)
class Outside:
    """What one process knows of issuers, and of tokens that they refused."""

    tokens: OutsideTokens
    reader: StoreReader
    limiter: Limiter
    seconds: float
    monotonic: Callable[[], float] = time.monotonic
    _issuers: Sequence[KnownIssuer] = ()
    _asked: float = float("-inf")
    _refused: dict[str, float] = field(default_factory=dict)
    _threads: dict[str, CapacityLimiter] = field(default_factory=dict)

    async def find(self, token: str, token_hash: str, address: str) -> tuple[Row, float] | None:
        """Return the row that the token is worth, and by which moment it is to be remembered.

        That is when the issuers were read, so that one who is disabled ends in time.
        """
        issuers = await self._known()
        if not issuers or self._is_refused(token_hash):
            return None
        asked = self._asked
        try:
            self.limiter.check_outside(address)
            row = await self._looked_at(token, issuers)
        except (RefusedTokenError, TooManyRequestsError) as error:
            log.info("a token of another issuer was refused: %s", error)
            self._refuse(token_hash)
            self.limiter.failed_outside(address)
            return None
        return row, asked

    async def _looked_at(self, token: str, issuers: Sequence[KnownIssuer]) -> Row:
        """Look at it in one of the issuer's own threads: who waits for one keeps no other waiting.

        Raises:
            BusyError: all of them are waiting.
        """
        name = claimed(token)
        known_name = name if any(each.issuer == name for each in issuers) else ""
        threads = self._threads.setdefault(known_name, CapacityLimiter(THREADS))
        if threads.available_tokens < 1:
            raise BusyError("too many tokens of this issuer are being looked at; try again")
        return await to_thread.run_sync(self.tokens.row_of, token, issuers, limiter=threads)

    async def _known(self) -> Sequence[KnownIssuer]:
        now = self.monotonic()
        if now - self._asked >= self.seconds:
            rows = await self.reader.rows(SELECT_ISSUERS, ())
            self._issuers, self._asked = [known(row) for row in rows], now
        return self._issuers

    def _is_refused(self, token_hash: str) -> bool:
        since = self._refused.get(token_hash)
        return since is not None and self.monotonic() - since < self.seconds

    def _refuse(self, token_hash: str) -> None:
        if len(self._refused) >= MOST:
            self._refused.clear()
        self._refused[token_hash] = self.monotonic()
