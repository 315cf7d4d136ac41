"""Fills a database with documents and the index rows that they really have, by bulk loading.

For each patient a Patient, 14 Encounters and 35 Observations, under random ids, in the order of
time. Every second Observation has the common code; one in 10,000 documents has the rare one.
"""

import random
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from bench.fixtures import LOINC, encounter, observation, patient
from fhir_mappings.registry import build_registry
from service.clock import microseconds
from service.engine import conninfo, normalised, sqlite_file
from service.fhir.document_bytes import head, tail
from service.fhir.index_tables import COLUMNS, INDEX_TABLES
from service.fhir.mapping import Draft, Labels, Owner
from service.fhir.numbering import BLOCK
from service.fhir.search_index import REVISION, index
from service.migrations.statistics import CLEAR, CREATE, INSERT, STATISTICS

AUDIENCE = 2
COMMON, RARE = "8867-4", "rare-1"
RARITY = 10_000
CODES = ("9279-1", "8310-5", "8480-6", "29463-7", "59408-5")
EACH = 50  # documents of one patient, of which these are Encounters
ENCOUNTERS = 14
CHUNK = 20_000
START = datetime(2021, 1, 4, 9, 0, tzinfo=UTC)
DOCUMENTS = (
    "id, audience, type, version, last_updated, content, deleted, source, patient_key, subject,"
    " date_low, date_high, confidentiality, sensitivity, owner, revision, created, indexed,"
    " number"
)
TYPES = build_registry().by_type
LABELS = Labels()

Row = tuple[Any, ...]


def documents(first: int, last: int) -> Iterator[tuple[Row, Iterable[tuple[int, Row]]]]:
    """Yield each document's row, with the rows of its index by table."""
    dice = random.Random(first)
    for number in range(first, last):
        person, place = divmod(number, EACH)
        resource = _resource(dice, number, person, place)
        yield _stored(dice, resource, person, place, number)


def patient_id(person: int) -> str:
    return f"{random.Random(f'patient {person}').getrandbits(128):032x}"


def _resource(dice: random.Random, number: int, person: int, place: int) -> dict[str, Any]:
    if place == 0:
        return patient(person)
    about = f"Patient/{patient_id(person)}"
    moment = (START + timedelta(minutes=number)).isoformat().replace("+00:00", "Z")
    if place <= ENCOUNTERS:
        return {**encounter(person, place, about), "period": {"start": moment, "end": moment}}
    code = COMMON if place % 2 else dice.choice(CODES)
    if number % RARITY == EACH - 1:
        code = RARE
    coded = {"coding": [{"system": LOINC, "code": code}], "text": "A measured value"}
    return {**observation(person, place, about), "code": coded, "effectiveDateTime": moment}


def _stored(
    dice: random.Random, resource: dict[str, Any], person: int, place: int, number: int
) -> tuple[Row, list[tuple[int, Row]]]:
    name = resource["resourceType"]
    own = patient_id(person)
    key = own if place == 0 else f"{dice.getrandbits(128):032x}"
    draft = Draft(name, f"sent:{number}", resource, LABELS, owner=Owner.CLIENT)
    rows = index(resource, TYPES[name], meta={}, subject=own)
    stamp = microseconds(START) + number * 1_000_000
    content = head(name, key, 1, stamp) + tail(draft)
    row = (
        key, AUDIENCE, name, 1, stamp, content, False, draft.source, own, own, rows.low, rows.high,
        LABELS.confidentiality.rank, "", "client", 1, stamp, REVISION, number + 1,
    )  # fmt: skip
    where = (number + 1, AUDIENCE, name)
    return row, [
        (table, (*where, *each)) for table, found in enumerate(rows.tables) for each in found
    ]


def fill(url: str, first: int, last: int) -> None:
    """Add the documents of these numbers, then let the planner count."""
    load, finish = (_sqlite if normalised(url).startswith("sqlite") else _postgresql)(url)
    batch: list[Row] = []
    indexed: list[list[Row]] = [[] for _ in INDEX_TABLES]
    for row, others in documents(first, last):
        batch.append(row)
        for table, each in others:
            indexed[table].append(each)
        if len(batch) == CHUNK or row[7] == f"sent:{last - 1}":
            load("documents", DOCUMENTS, batch)
            for name, columns, rows in zip(INDEX_TABLES, COLUMNS, indexed, strict=True):
                load(f"document_{name}", f"document, audience, type, {columns}", rows)
                rows.clear()
            batch.clear()
    finish()


Load = Callable[[str, str, list[Row]], None]


def _sqlite(url: str) -> tuple[Load, Callable[[], None]]:
    connection = sqlite3.connect(sqlite_file(url))
    for pragma in ("synchronous = OFF", "cache_size = -3000000"):
        connection.execute(f"PRAGMA {pragma}")
    restore = _without_indexes(connection)

    def load(table: str, columns: str, rows: list[Row]) -> None:
        marks = ", ".join("?" * (columns.count(",") + 1))
        insert = f"INSERT INTO {table} ({columns}) VALUES ({marks})"  # noqa: S608 - names of ours
        connection.executemany(insert, sorted(rows))

    def finish() -> None:
        for statement in restore:
            connection.execute(statement)
        connection.execute(CREATE)  # with an index its statistics went
        connection.execute(CLEAR)
        connection.executemany(INSERT, [(*key, stat) for key, stat in STATISTICS.items()])
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()

    return load, finish


def _without_indexes(connection: sqlite3.Connection) -> list[str]:
    """Drop the secondary indexes of the documents; return how to make them again."""
    found = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        " AND tbl_name LIKE 'document%'"
    ).fetchall()
    for name, _ in found:
        connection.execute(f"DROP INDEX {name}")
    return [sql for _, sql in found]


def _postgresql(url: str) -> tuple[Load, Callable[[], None]]:
    connection = psycopg.connect(conninfo(url))

    def load(table: str, columns: str, rows: list[Row]) -> None:
        with connection.cursor().copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    def finish() -> None:
        connection.execute(
            f"SELECT setval('document_blocks', (SELECT max(number) / {BLOCK} + 1 FROM documents))"  # noqa: S608 - ours
        )
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE")
        connection.execute(
            "CHECKPOINT"
        )  # or what was loaded is written out while answers are timed
        connection.close()

    return load, finish
