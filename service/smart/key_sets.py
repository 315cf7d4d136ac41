"""JWK Sets at clients' addresses: kept no longer than they may be, fetched no oftener than needed.

https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2
"""

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from service.errors import InvalidError
from service.smart.fetching import Fetched, FetchError
from service.smart.keys import Jwk, keys_of, named

UNTOLD_SECONDS = 300.0  # where the answer does not say how long it may be kept
LONGEST_SECONDS = 3600.0
# An unknown kid, and an address that failed, are asked about again after this time at the earliest.
PAUSE_SECONDS = 5.0
PATIENCE_SECONDS = 6.0
# Of the threads that answer token requests so many may wait for addresses at once: whoever needs no
# address, or one whose keys are known, is answered by the rest.
ASKING = 6
ROOM_SECONDS = 1.0
MAX_AGE = re.compile(r"\bmax-age\s*=\s*\"?(\d{1,9})", re.IGNORECASE)
UNKEPT = re.compile(r"\bno-(?:store|cache)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Kept:
    """The keys of one address, when they were asked for, and until when they count."""

    keys: tuple[Jwk, ...]
    asked: float
    until: float


class KeySets:
    """What this process knows of clients' JWK Sets; one request at a time asks an address."""

    def __init__(
        self, get: Callable[[str], Fetched], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._get = get
        self._monotonic = monotonic
        self._kept: dict[str, Kept] = {}
        self._failed: dict[str, float] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._room = threading.BoundedSemaphore(ASKING)

    def find(self, url: str, kid: str, algorithm: str) -> Jwk | None:
        """Return the one key of this name and type at the address.

        Raises:
            FetchError: the keys are not to be had.
        """
        kept = self._kept.get(url)
        is_known = kept is not None and self._monotonic() < kept.until
        if kept and is_known and (found := named(kept.keys, kid, algorithm)) is not None:
            return found
        if not self._room.acquire(timeout=ROOM_SECONDS):
            raise FetchError("has to wait: others are being asked")
        try:
            return self._alone(url, kid, algorithm)
        finally:
            self._room.release()

    def _alone(self, url: str, kid: str, algorithm: str) -> Jwk | None:
        lock = self._locks.setdefault(url, threading.Lock())
        if not lock.acquire(timeout=PATIENCE_SECONDS):
            raise FetchError("is being asked already")
        try:
            return self._find(url, kid, algorithm)
        finally:
            lock.release()

    def _find(self, url: str, kid: str, algorithm: str) -> Jwk | None:
        now = self._monotonic()
        kept = self._kept.get(url)
        if kept is None or now >= kept.until:
            return named(self._fetched(url, now).keys, kid, algorithm)
        found = named(kept.keys, kid, algorithm)
        if found is None and now - kept.asked >= PAUSE_SECONDS:  # the keys may have been rotated
            found = named(self._fetched(url, now).keys, kid, algorithm)
        return found

    def _fetched(self, url: str, now: float) -> Kept:
        if now - self._failed.get(url, float("-inf")) < PAUSE_SECONDS:
            raise FetchError("failed a moment ago")
        try:
            answer = self._get(url)
            keys = tuple(keys_of(answer.content))
        except (FetchError, InvalidError) as error:
            self._failed[url] = self._monotonic()
            raise FetchError(str(error)) from error
        kept = Kept(keys, now, now + seconds_of(answer))
        self._kept[url] = kept
        return kept


def seconds_of(answer: Fetched) -> float:
    """Return for how long the answer may be relied on, from when it was asked for."""
    said = answer.cache_control or ""
    if UNKEPT.search(said):
        return 0.0
    found = MAX_AGE.search(said)
    if found is None:
        return UNTOLD_SECONDS
    age = int(answer.age) if answer.age and answer.age.isdecimal() else 0
    return min(max(int(found[1]) - age, 0), LONGEST_SECONDS)
