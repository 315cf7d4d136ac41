"""Measures how answers grow from 10 thousand resources to a million, and prints a table with plans.

    make growth                      SQLite, in a temporary folder
    DATABASE_URL=... make growth     that empty PostgreSQL database
    SIZES=10000,100000 make growth   other sizes

Each figure is the least of eight medians of what one answer takes, HTTP left out; the
pages are walked to by the service's own signed links.
"""

import asyncio
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

from bench.growing import AUDIENCE, COMMON, EACH, RARE, fill, patient_id
from fhir_mappings.registry import build_registry
from service.access import Access, Scopes
from service.clock import system_clock
from service.database import Database
from service.fhir.endpoint import Endpoint
from service.fhir.interactions.read import read
from service.fhir.interactions.search_type import search_type
from service.fhir.paging import Place, address, query_string, signed
from service.fhir.store_reader import Rows, StoreReader, open_reader
from service.migrations import upgrade

TIMES = 400
SERIES = 8
SIZES = "10000,100000,1000000"
BASE = "http://bench/fhir"
ACCESS = Access(
    client_id=UUID(int=1),
    client="bench",
    audience=AUDIENCE,
    connection_id=UUID(int=2),
    ceiling=2,
    roster_role=True,
    scopes=Scopes("system/*.cruds"),
)
Pairs = list[tuple[str, str]]


class Recording:
    """A reader that remembers the last statement that had `FROM documents`."""

    def __init__(self, reader: StoreReader) -> None:
        self.reader = reader
        self.last: tuple[str, tuple[object, ...]] = ("", ())

    async def rows(self, sql: str, args: tuple[object, ...]) -> Rows:
        if "documents d" in sql:
            self.last = (sql, args)
        return await self.reader.rows(sql, args)

    async def horizon(self) -> int | None:
        return await self.reader.horizon()

    async def moment(self) -> int | None:
        return await self.reader.moment()

    async def close(self) -> None:
        await self.reader.close()


class Measured:
    """One size of the database: its endpoint, and what is asked of it."""

    def __init__(self, endpoint: Endpoint, reader: Recording, size: int) -> None:
        self.endpoint = endpoint
        self.reader = reader
        self.size = size
        self.dice = random.Random(size)

    async def figures(self) -> dict[str, float]:
        """Return the milliseconds of each thing asked."""
        found = {"read": await self.timed(self.one_read(await self.some_ids()))}
        for sort in ("_id", "-date", "_lastUpdated"):
            for name, place in (await self.places(sort)).items():
                pairs = [("_sort", sort), ("_count", "20")]
                found[f"page by {sort}, {name}"] = await self.timed(self.page(pairs, place))
        for name, pairs in self.of_a_patient().items():
            found[name] = await self.timed(self.searches(pairs))
        for name, code in (("common", COMMON), ("rare", RARE)):
            for sort in ("_id", "-date"):
                pairs = [("code", code), ("_sort", sort), ("_count", "20")]
                found[f"{name} code by {sort}"] = await self.timed(self.page(pairs, None))
        return found

    async def timed(self, ask: Any) -> float:
        """Return the least median of some series: others may use the machine meanwhile."""
        medians = []
        for _ in range(SERIES):
            taken = []
            for _ in range(TIMES // SERIES):
                started = time.perf_counter()
                await ask()
                taken.append(time.perf_counter() - started)
            medians.append(median(taken))
        return min(medians) * 1000

    async def some_ids(self) -> list[str]:
        found = []
        for _ in range(TIMES):
            start = f"{self.dice.getrandbits(128):032x}"
            sql = (
                "SELECT id FROM documents WHERE audience = ? AND type = 'Observation' AND id > ?"
                " ORDER BY id LIMIT 1"
            )
            found += [row[0] for row in await self.reader.rows(sql, (AUDIENCE, start))]
        return found

    def one_read(self, ids: list[str]) -> Any:
        return lambda: read(self.endpoint, ACCESS, "Observation", self.dice.choice(ids))

    async def places(self, sort: str) -> dict[str, Place | None]:
        """Return where the first, a middle and the last page begin."""
        column = {"_id": "id", "-date": "date_low", "_lastUpdated": "last_updated"}[sort]
        direction = "DESC" if sort.startswith("-") else "ASC"
        count = self.size * (EACH - 15) // EACH
        found: dict[str, Place | None] = {"first": None}
        for name, offset in (("middle", count // 2), ("last", count - 21)):
            sql = (
                f"SELECT {column}, id FROM documents WHERE audience = ? AND type = 'Observation'"  # noqa: S608
                f" ORDER BY {column} {direction} LIMIT 1 OFFSET ?"
            )
            ((value, key),) = await self.reader.rows(sql, (AUDIENCE, offset))
            values = (key,) if column == "id" else (value, key)
            found[name] = Place(values, await self.endpoint.moment())
        return found

    def page(self, pairs: Pairs, place: Place | None) -> Any:
        target = address(f"{BASE}/Observation", query_string(pairs))
        asked = list(pairs)
        if place is not None:
            asked += [("_cursor", signed(self.endpoint.link_key, ACCESS, target, place))]
        return lambda: search_type(self.endpoint, ACCESS, "Observation", asked)

    def of_a_patient(self) -> dict[str, Any]:
        def someone() -> str:
            return patient_id(self.dice.randrange(self.size // EACH))

        return {
            "a patient's series": lambda: (
                "Observation",
                [("patient", someone()), ("code", COMMON), ("_sort", "-date")],
            ),
            "a patient's Observations": lambda: ("Observation", [("patient", someone())]),
            "a patient's Encounters with include": lambda: (
                "Encounter",
                [("patient", someone()), ("_include", "Encounter:patient")],
            ),
        }

    def searches(self, asked: Any) -> Any:
        def once() -> Any:
            name, pairs = asked()
            return search_type(self.endpoint, ACCESS, name, pairs)

        return once

    async def plans(self) -> list[str]:
        found = []
        for name, code in (("common", COMMON), ("rare", RARE)):
            for sort in ("_id", "-date"):
                await self.page([("code", code), ("_sort", sort), ("_count", "20")], None)()
                sql, args = self.reader.last
                sqlite = self.endpoint.database.sqlite
                explain = "EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN (COSTS OFF) "
                rows = await self.reader.reader.rows(explain + sql, args)
                steps = [str(row[3] if sqlite else row[0]) for row in rows]
                found += [f"{name} code by {sort}", *(f"    {step}" for step in steps)]
        return found


async def measured(url: str, size: int) -> tuple[dict[str, float], list[str]]:
    reader, database = Recording(open_reader(url)), Database(url)
    endpoint = Endpoint(
        BASE, build_registry(), reader, database, system_clock, key=b"k" * 32, page_limit=200
    )
    asked = Measured(endpoint, reader, size)
    try:
        return await asked.figures(), await asked.plans()
    finally:
        await reader.close()
        database.close()


def grow(url: str) -> None:
    upgrade(url)
    sizes = [int(text) for text in os.environ.get("SIZES", SIZES).split(",")]
    columns, plans, before = [], [], 0
    for size in sizes:
        started = time.monotonic()
        fill(url, before, size)
        print(f"{size} documents after {time.monotonic() - started:.0f} s", file=sys.stderr)
        figures, plans = asyncio.run(measured(url, size))
        columns.append(figures)
        before = size
    heads = "".join(f"{f'{size:,}':>12}" for size in sizes)
    print(f"{'ms an answer':38}{heads}{'ratio':>8}")
    for name in columns[0]:
        values = [figures[name] for figures in columns]
        cells = "".join(f"{value:12.3f}" for value in values)
        print(f"{name:38}{cells}{values[-1] / values[0]:8.1f}")
    print("\nPlans at the largest size:", *plans, sep="\n")


if __name__ == "__main__":
    given = os.environ.get("DATABASE_URL")
    if given:
        grow(given)
    else:
        with tempfile.TemporaryDirectory() as folder:
            grow(f"sqlite:///{Path(folder) / 'growth.db'}")
