"""Pairs of calls released together, again and again.

`make nightly` runs them 300 times on PostgreSQL and 60 times on SQLite.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from typing import Any

import pytest

from service.database import Database
from service.fhir.sources import Sources
from tests.conftest import open_database
from tests.fresh import wrong_documents

NIGHTLY = {"sqlite": 60, "postgresql": 300}
EVERY_DAY = {"sqlite": 5, "postgresql": 12}


@dataclass
class Arena:
    """A database with two threads that start at the same moment."""

    database: Database
    rounds: int
    pool: ThreadPoolExecutor

    def release(self, *calls: Callable[[], Any]) -> list[Any]:
        """Run the calls together; return each one's result, or what it raised."""
        gate = Barrier(len(calls))

        def run(call: Callable[[], Any]) -> Any:
            gate.wait()
            try:
                return call()
            except Exception as error:
                return error

        return [future.result() for future in [self.pool.submit(run, call) for call in calls]]

    def check(self, sources: Sources | None = None) -> None:
        wrong = wrong_documents(self.database, sources)
        assert not wrong, wrong[:10]

    def versions(self, since: int) -> dict[str, list[int]]:
        """The versions that came to be after event `since`, by document."""
        found: dict[str, list[int]] = {}
        with self.database.engine.connect() as connection:
            rows = connection.exec_driver_sql(
                f"SELECT type || '/' || id, version FROM events WHERE number > {since}"
                " ORDER BY number"
            )
            for name, version in rows:
                found.setdefault(name, []).append(version)
        return found

    def last_event(self) -> int:
        with self.database.engine.connect() as connection:
            return int(
                connection.exec_driver_sql("SELECT coalesce(max(number), 0) FROM events").scalar()
                or 0
            )


@pytest.fixture
def arena(database_url: str) -> Any:
    kind = "sqlite" if database_url.startswith("sqlite") else "postgresql"
    nightly = bool(os.environ.get("ALONGSIDE_NIGHTLY"))
    database = open_database(database_url)
    with ThreadPoolExecutor(4) as pool:
        yield Arena(database, (NIGHTLY if nightly else EVERY_DAY)[kind], pool)
    database.close()
