"""Imports as they run: the same file twice, bad rows among good ones, all or nothing, memory."""

import gc
import os
import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest

from service import database as database_module
from service.errors import BusyError, ProjectionError
from service.identifiers import keyed_id
from service.imports import running
from service.imports.attendance import ATTENDANCE
from service.imports.groups import GROUPS
from service.imports.report import SHOWN
from service.imports.responses import responses
from service.imports.roster import ROSTER
from service.imports.rows import Outcome
from service.imports.running import Mode
from service.instruments import load_instruments
from service.models.patients import Patient
from tests import world
from tests.fresh import wrong_documents
from tests.service.imports.files import (
    count,
    group_row,
    imported,
    ndjson,
    patient,
    patients,
    rows,
    stored,
    table,
)
from tests.world import PHQ9

NIGHTLY = bool(os.environ.get("ALONGSIDE_NIGHTLY"))
PEOPLE, GROUPS_OF_THEM = 24, 4
PHQ_9 = responses(load_instruments()["phq-9"])
DAY = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    """Several chunks in a small file."""
    monkeypatch.setattr(running, "CHUNK", 10)


@pytest.fixture
def hospital(database):
    return world.hospital(database)


def about(number):
    group = f"g{number % GROUPS_OF_THEM}"
    return {"connection": "A", "mrn": f"MRN-{number}", "group": group}


def files(folder, hospital):
    """One file of each kind: people, groups, who is in them and was, who came, what they said."""
    everybody = range(PEOPLE)
    people = ndjson(folder / "p.ndjson", (patient(n, hospital.mrn_system) for n in everybody))
    left = {"end": (DAY + timedelta(days=90)).isoformat(), "reason": "moved"}
    roster = [
        {**about(n), "start": DAY.isoformat(), **(left if n % 5 == 0 else {})} for n in everybody
    ]
    start, end = DAY + timedelta(days=7), DAY + timedelta(days=7, hours=1)
    times = {"session_start": start.isoformat(), "session_end": end.isoformat()}
    marks = [{**about(n), **times, "mark": "present"} for n in everybody]
    answers = dict.fromkeys(PHQ9[:-1], "1")
    forms = [
        {**about(n), "authored": start.isoformat(), **answers, PHQ9[-1]: str(n % 2)}
        for n in everybody
    ]
    return [
        patients(people, hospital),
        table(folder / "g.csv", GROUPS, (group_row(n) for n in range(GROUPS_OF_THEM))),
        table(folder / "r.csv", ROSTER, roster),
        table(folder / "a.csv", ATTENDANCE, marks),
        table(folder / "q.csv", PHQ_9, forms),
    ]


@pytest.mark.parametrize("mode", [Mode.WHOLE, Mode.PARTIAL])
def test_the_same_files_twice_change_nothing_the_second_time(database, hospital, tmp_path, mode):
    sources = files(tmp_path, hospital)
    first = [imported(database, source, mode) for source in sources]
    assert [each.count(Outcome.ADDED) for each in first] == [PEOPLE, GROUPS_OF_THEM] + [PEOPLE] * 3
    assert first[-1].report.total.alerts == PEOPLE // 2
    assert not wrong_documents(database)
    before = stored(database)
    for source in sources:
        again = imported(database, source, mode)
        total = again.report.total
        assert (total.outcomes[Outcome.KNOWN], total.alerts) == (total.outcomes.total(), 0)
    assert stored(database) == before


def bad_rows(size):
    """One row in a hundred, and not the last of a chunk only."""
    return [number for number in range(size) if number % 100 == 37]


def with_bad_rows(folder, size):
    bad = set(bad_rows(size))
    broken = [{"capacity": "many"}, {"capacity": "0"}, {"escalation_contact": ""}]
    rows = [group_row(n, **(broken[n // 100 % 3] if n in bad else {})) for n in range(size)]
    return table(folder / "bad.csv", GROUPS, rows)


@pytest.mark.parametrize("mode", list(Mode))
def test_a_file_with_bad_rows_reports_exactly_those(database, tmp_path, mode):
    size = 300
    found = imported(database, with_bad_rows(tmp_path, size), mode)
    columns = ["capacity", "capacity", "escalation_contact"]
    named = [(n + 2, column) for n, column in zip(bad_rows(size), columns, strict=True)]
    assert [(each.row, each.column) for each in found.rejections] == named
    kept = size - len(named) if mode is Mode.PARTIAL else 0
    assert count(database, "support_groups") == count(database, "import_keys") == kept
    assert count(database, "documents WHERE type = 'HealthcareService'") == kept
    assert not wrong_documents(database)


def test_a_dry_run_of_good_rows_keeps_nothing_and_counts_them(database, hospital, tmp_path):
    source = files(tmp_path, hospital)[0]
    before = stored(database)
    assert imported(database, source, Mode.DRY_RUN).counts == (PEOPLE, 0, 0, 0)
    assert stored(database) == before
    assert rows(database, Patient) == []


def test_a_rejected_row_does_not_poison_those_beside_it(database, hospital, tmp_path):
    """The bad row has written already when it is rejected; its neighbours stay."""
    people = [patient(n, hospital.mrn_system) for n in range(3)]
    del people[1]["id"]
    source = patients(ndjson(tmp_path / "p.ndjson", people), hospital)
    assert imported(database, source, Mode.PARTIAL).counts == (2, 0, 0, 1)
    names = [row.family for row in rows(database, Patient)]
    assert sorted(names) == ["Imported0", "Imported2"]
    assert not wrong_documents(database)


def test_of_many_rejections_the_first_are_kept_and_all_are_written(sqlite_database, tmp_path):
    broken = (group_row(n, capacity="0") for n in range(SHOWN + 5))
    found = imported(sqlite_database, table(tmp_path / "g.csv", GROUPS, broken))
    assert len(found.rejections) == SHOWN + 5 == found.report.total.rejected
    assert found.report.total.rejections == found.rejections[:SHOWN]


def test_what_forbade_a_row_may_be_gone_when_it_is_looked_at_again(sqlite_database, tmp_path):
    """Between the two passes others may write; the report then says why the first one ended."""
    source = table(tmp_path / "g.csv", GROUPS, [group_row(1)])
    refusals = iter([True, False])

    class Changing:
        column, records = source.column, source.records

        def put(self, work, values):
            return source.put(work, {**values, "capacity": 0 if next(refusals) else 12})

    found = imported(sqlite_database, Changing())
    assert [(each.row, each.column) for each in found.rejections] == [(2, "capacity")]
    assert found.report.total.rejected == 1
    assert count(sqlite_database, "support_groups") == 0


@pytest.mark.parametrize("error", [BusyError, ProjectionError])
def test_what_is_no_fault_of_the_row_ends_the_import(sqlite_database, tmp_path, error):
    source = table(tmp_path / "g.csv", GROUPS, [group_row(1)])

    class Failing:
        column, records = source.column, source.records

        def put(self, *_row):
            raise error("not now")

    for mode in Mode:
        with pytest.raises(error):
            imported(sqlite_database, Failing(), mode)


def test_it_may_take_longer_than_a_change_may(database, tmp_path, monkeypatch):
    monkeypatch.setattr(database_module, "WRITE_SECONDS", -1.0)
    for mode in (Mode.WHOLE, Mode.PARTIAL):
        assert imported(database, table(tmp_path / "g.csv", GROUPS, [group_row(1)]), mode)
    assert count(database, "support_groups") == 1


def test_memory_does_not_grow_with_the_file(sqlite_database, tmp_path, monkeypatch):
    """A quarter of a kilobyte kept of each row would be found."""
    monkeypatch.setattr(running, "CHUNK", 100)
    small, large = (2_000, 6_000) if NIGHTLY else (300, 900)
    # Of equal names, since the index keeps the rows of some thousands of values and no more.
    same = ({**group_row(0), "key": f"g{n}"} for n in range(large))
    source, held = table(tmp_path / "g.csv", GROUPS, same), {}

    class Watched:
        column, put = source.column, source.put

        def records(self):
            for number, record in enumerate(source.records()):
                if number in {small, large - 100}:
                    keyed_id.cache_clear()  # it holds some thousands and no more
                    gc.collect()
                    held[number] = tracemalloc.get_traced_memory()[0]
                yield record

    tracemalloc.start()
    try:
        found = imported(sqlite_database, Watched())
    finally:
        tracemalloc.stop()
    assert found.counts == (large, 0, 0, 0)
    assert held[large - 100] - held[small] < (large - 100 - small) * 256
