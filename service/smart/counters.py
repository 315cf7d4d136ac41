"""Counters of a process, for `limits`: as many as fit, and no thread of their own to end them.

https://limits.readthedocs.io/en/stable/custom-storage.html
"""

import threading
import time
from collections.abc import Callable

from limits.storage import Storage

MOST = 50_000


class Counters(Storage):
    """How often each key came within its window; where there is no room the oldest window goes."""

    STORAGE_SCHEME = None

    def __init__(self, now: Callable[[], float] = time.time, most: int = MOST) -> None:
        super().__init__()
        self._now = now
        self._most = most
        self._lock = threading.Lock()
        self._windows: dict[str, tuple[float, int]] = {}  # by key: its end, and how often

    @property
    def base_exceptions(self) -> type[Exception]:
        return ArithmeticError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        now = self._now()
        with self._lock:
            ends, times = self._windows.get(key, (0.0, 0))
            if ends <= now:
                self._windows.pop(key, None)
                self._make_room(now)
                ends, times = now + expiry, 0
            self._windows[key] = (ends, times + amount)
            return times + amount

    def _make_room(self, now: float) -> None:
        """Let go of the oldest, and of those that have ended right behind them."""
        while self._windows:
            oldest = next(iter(self._windows))
            if len(self._windows) < self._most and self._windows[oldest][0] > now:
                return
            del self._windows[oldest]

    def get(self, key: str) -> int:
        with self._lock:
            ends, times = self._windows.get(key, (0.0, 0))
        return times if ends > self._now() else 0

    def get_expiry(self, key: str) -> float:
        with self._lock:
            return self._windows.get(key, (self._now(), 0))[0]

    def check(self) -> bool:
        return True

    def reset(self) -> int:
        with self._lock:
            count = len(self._windows)
            self._windows.clear()
        return count

    def clear(self, key: str) -> None:
        with self._lock:
            self._windows.pop(key, None)
