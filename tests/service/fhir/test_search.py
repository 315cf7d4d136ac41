import sqlite3
from uuid import UUID

import pytest

from fhir_mappings.registry import build_registry
from service.access import Access, Scopes
from service.database import Database
from service.errors import InvalidError
from service.fhir.mapping import Registry
from service.fhir.search import Bounds, audiences, beyond, count_statement, page_statement
from service.fhir.search_parameters import read_query
from service.fhir.search_plan import Plan, Rules, Sort
from service.fhir.search_values import COMPARE, Moment, compared, searched_moment, split, unescaped

REGISTRY = build_registry()


def plan(name: str, *pairs: tuple[str, str]) -> Plan:
    rules = Rules(
        base="http://here/fhir",
        now=0,
        page_size=20,
        page_limit=200,
        types=REGISTRY.by_type,
        access=access(),
        where=lambda kind: audiences(REGISTRY, kind, access()),
    )
    return read_query(REGISTRY.by_type[name], pairs, rules, strict=True)


def access(audience: int = 7) -> Access:
    return Access(
        client_id=UUID(int=1),
        client="a",
        audience=audience,
        connection_id=UUID(int=2),
        ceiling=1,
        roster_role=False,
        scopes=Scopes("system/*.rs"),
    )


def test_every_statement_begins_with_the_audience_and_the_ceiling():
    for kind in REGISTRY.types:
        where = audiences(REGISTRY, kind.name, access())
        sql, args = page_statement(plan(kind.name), where, Bounds(1))
        begin = f"FROM documents d WHERE d.audience {'=' if len(where) == 1 else 'IN'} "
        assert begin in sql
        assert "NOT d.deleted AND d.confidentiality <= ?" in sql
        assert args == (*where, kind.name, 1, 21)
        assert set(where) <= {7, 0}


def test_a_type_is_sought_where_it_can_be():
    assert audiences(REGISTRY, "Observation", access()) == (7,)
    assert audiences(REGISTRY, "Questionnaire", access()) == (0,)
    assert audiences(REGISTRY, "Organization", access()) == (7, 0)
    assert audiences(Registry((), ()), "Nothing", access()) == (7,)


def test_the_horizon_bounds_pages_and_counts():
    timed = plan("Patient", ("_sort", "_lastUpdated"))
    page, _ = page_statement(timed, (7,), Bounds(1, until=5))
    count, args = count_statement(timed, (7,), Bounds(1, until=5))
    assert "d.last_updated < ?" in page
    assert "d.last_updated < ?" in count
    assert args == (7, "Patient", 1, 5)


def test_the_first_page_bounds_what_may_come_on_the_next_ones():
    sql, args = page_statement(plan("Patient"), (7,), Bounds(1, after=("x",), until=5))
    assert "d.created <= ?" in sql
    assert "d.id > ?" in sql
    assert args == (7, "Patient", 1, 5, "x", 21)


def test_a_place_is_passed_by_rows_or_step_by_step():
    same = beyond((Sort("a"), Sort("b")), (1, "x"))
    assert (same.sql, same.args) == ("(a, b) > (?, ?)", (1, "x"))
    mixed = beyond((Sort("a", descending=True), Sort("b")), (1, "x"))
    assert mixed.sql == "(a <= ? AND ((a < ?) OR (a = ? AND b > ?)))"
    assert mixed.args == (1, 1, 1, "x")


@pytest.mark.parametrize(
    ("pair", "timed"),
    [
        (("_lastUpdated", "ge2026"), True),
        (("_sort", "_lastUpdated"), True),
        (("_sort", "-date"), False),
        (("date", "ge2026"), False),
    ],
)
def test_only_searches_by_last_updated_are_bounded(pair: tuple[str, str], timed: bool):
    assert plan("Observation", pair).timed is timed


def test_escapes_keep_separators_in_values():
    assert split(r"a\,b,c", ",") == [r"a\,b", "c"]
    assert split(r"a\\,b", ",") == [r"a\\", "b"]
    assert unescaped(r"a\,b\|c\\d\$") == r"a,b|c\d$"


@pytest.mark.parametrize(
    ("prefix", "found"),
    [
        ("eq", {"inside"}),
        ("ne", {"before", "across low", "across high", "around", "after"}),
        ("gt", {"across high", "around", "after"}),
        ("lt", {"before", "across low", "around"}),
        ("ge", {"inside", "across high", "around", "after"}),
        ("le", {"inside", "across low", "around", "before"}),
        ("sa", {"after"}),
        ("eb", {"before"}),
        ("ap", {"inside", "across low", "across high", "around"}),
    ],
)
def test_prefixes_compare_ranges(prefix: str, found: set[str]):
    ranges = {
        "before": (0, 9), "across low": (5, 15), "inside": (11, 19), "around": (5, 25),
        "across high": (15, 25), "after": (21, 30),
    }  # fmt: skip
    condition = compared(Moment(prefix, 10, 20), "low", "high", now=10)
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE d (name, low, high)")
    database.executemany("INSERT INTO d VALUES (?, ?, ?)", [(k, *v) for k, v in ranges.items()])
    rows = database.execute(f"SELECT name FROM d WHERE {condition.sql}", condition.args)
    assert {name for (name,) in rows} == found
    database.close()
    assert set(COMPARE) >= {prefix}


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("2026", 365 * 86_400_000_000),
        ("2024", 366 * 86_400_000_000),
        ("2026-02", 28 * 86_400_000_000),
        ("2026-02-03", 86_400_000_000),
        ("2026-02-03T04:05", 60_000_000),
        ("2026-02-03T04:05:06Z", 1_000_000),
        ("2026-02-03T04:05:06.1+01:00", 100_000),
        ("2026-02-03T04:05:06.123456-05:00", 1),
        ("9999-12-31", 86_400_000_000),
    ],
)
def test_a_date_is_as_wide_as_its_precision(text: str, width: int):
    moment = searched_moment("date", f"ge{text}")
    assert moment.prefix == "ge"
    assert moment.high - moment.low + 1 == width


@pytest.mark.parametrize(
    "text", ["", "2026-1", "x", "ge", "2026-02-30", "20260101", "0000", "ge ge"]
)
def test_what_is_not_a_date_is_refused(text: str):
    with pytest.raises(InvalidError):
        searched_moment("date", text)


def explained(database: Database, name: str, *pairs: tuple[str, str], after: tuple | None = None):
    """The steps of SQLite's plan for a page of this search."""
    where = audiences(REGISTRY, name, access())
    sql, args = page_statement(plan(name, *pairs), where, Bounds(1, after=after))

    def work(session) -> list[str]:
        rows = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", args)
        return [row[3] for row in rows]

    return database.read(work)


def fill(database: Database, *, analyze: bool) -> None:
    """200 patients with 50 Observations each, one code in all of them, one in a single one."""
    documents, tokens = [], []
    for number in range(10_000):
        document_id, subject = f"{number:032x}", f"{number % 200:032x}"
        documents.append((document_id, 7, "Observation", subject, number, number, number))
        tokens.append((document_id, "http://loinc.org", "44261-6" if number else "rare"))

    def work(session) -> None:
        connection = session.connection()
        connection.exec_driver_sql(
            "INSERT INTO documents (id, audience, type, version, last_updated, content, deleted,"
            " source, subject, date_low, date_high, confidentiality, sensitivity, owner, revision)"
            " SELECT ?, ?, ?, 1, ?, x'7b7d', 0, '', ?, ?, ?, 1, '', 'programme', 1",
            [(i, a, t, at, s, low, high) for i, a, t, s, at, low, high in documents],
        )
        connection.exec_driver_sql(
            "INSERT INTO document_tokens (id, param, system, code, audience, type)"
            " VALUES (?, 'code', ?, ?, 7, 'Observation')",
            tokens,
        )
        if analyze:
            connection.exec_driver_sql("ANALYZE")

    database.unit_of_work(work)


@pytest.mark.parametrize("analyze", [False, True])
@pytest.mark.parametrize("code", ["44261-6", "rare"])
@pytest.mark.parametrize("after", [None, (9000, "x")])
def test_a_patients_series_walks_the_index_of_its_subject(sqlite_database, analyze, code, after):
    fill(sqlite_database, analyze=analyze)
    pairs = (("patient", f"{7:032x}"), ("code", code), ("_sort", "-date"), ("_count", "20"))
    steps = explained(sqlite_database, "Observation", *pairs, after=after)
    assert "ix_documents_subject (audience=? AND type=? AND subject=?" in steps[0]
    assert not any("USE TEMP B-TREE FOR ORDER BY" in step for step in steps)


@pytest.mark.parametrize("analyze", [False, True])
def test_other_searches_use_an_index_too(sqlite_database, analyze):
    fill(sqlite_database, analyze=analyze)
    polled = explained(sqlite_database, "Observation", ("_sort", "_lastUpdated"))
    assert "ix_documents_updated" in polled[0]
    assert not any("TEMP B-TREE FOR ORDER BY" in step for step in polled)
    unsorted = explained(sqlite_database, "Observation")
    assert "ix_documents_id" in unsorted[0]
    assert not any("TEMP B-TREE FOR ORDER BY" in step for step in unsorted)
    newest = explained(sqlite_database, "Observation", ("_sort", "-date"))
    assert "ix_documents_date" in newest[0]
    named = explained(sqlite_database, "Patient", ("identifier", "urn:mrn|1"))
    assert any("ix_document_tokens_value" in step for step in named)
    assert any("ix_documents_id (audience=? AND type=? AND id=?)" in step for step in named)
    by_id = explained(sqlite_database, "Observation", ("_id", f"{1:032x}"))
    assert "id=?)" in by_id[0]
