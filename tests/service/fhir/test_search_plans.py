"""Which index a search walks, on both databases: what is rare is found, what is common is met.

https://www.sqlite.org/eqp.html
https://www.postgresql.org/docs/current/using-explain.html
"""

from typing import Any

from sqlmodel import Session

from service.database import Database
from service.fhir.search import Bounds, audiences, page_statement
from service.fhir.search_drivers import driven_within
from service.fhir.search_plan import Plan
from tests.service.fhir.test_search import AUDIENCE, REGISTRY, access, plan

LOINC = "http://loinc.org"
COMMON, RARE = f"{LOINC}|common", f"{LOINC}|rare"
OBSERVATIONS, PATIENTS = 20_000, 400
DOCUMENT = (
    "INSERT INTO documents (id, audience, type, version, last_updated, content, deleted, source,"
    " subject, date_low, date_high, number, confidentiality, sensitivity, owner, revision, created,"
    f" indexed) VALUES (?, {AUDIENCE}, ?, 1, ?, ?, ?, '', ?, ?, ?, ?, 1, '', 'programme', 1, 0, 1)"
)
TOKEN = (
    "INSERT INTO document_tokens (document, param, system, code, audience, type)"
    f" VALUES (?, ?, ?, ?, {AUDIENCE}, ?)"
)
STRING = (
    "INSERT INTO document_strings (document, param, value, original, audience, type)"
    f" VALUES (?, 'name', ?, ?, {AUDIENCE}, 'Patient')"
)


def patient(number: int) -> str:
    return f"{number:08x}" * 4


def observation(number: int) -> str:
    return f"{(number * 2_654_435_761) % 2**32:08x}" * 3 + "ffffffff"


def fill(database: Database) -> None:
    """Observations of which one in 2,000 has a rare code, the others a common one."""
    documents: list[tuple[Any, ...]] = []
    tokens, strings = [], []
    for n in range(PATIENTS):
        documents.append((patient(n), "Patient", n, b"{}", False, patient(n), n, n, n))
        tokens.append((n, "gender", "", "male", "Patient"))
        tokens.append((n, "identifier", "mrn", str(n), "Patient"))
        strings.append((n, f"family{n:04}", f"Family{n:04}"))
    for n in range(OBSERVATIONS):
        about = patient(n % PATIENTS)
        number = PATIENTS + n
        documents.append((observation(n), "Observation", n, b"{}", False, about, n, n, number))
        code = "common" if n % 2_000 else "rare"
        tokens.append((number, "code", LOINC, code, "Observation"))

    def work(session: Session) -> None:
        connection = session.connection()
        mark = "?" if connection.dialect.name == "sqlite" else "%s"
        for sql, rows in ((DOCUMENT, documents), (TOKEN, tokens), (STRING, strings)):
            connection.exec_driver_sql(sql.replace("?", mark), rows)

    def analyse(session: Session) -> None:
        session.connection().exec_driver_sql("ANALYZE")

    database.unit_of_work(work)
    if not database.sqlite:  # whose statistics are fixed
        database.unit_of_work(analyse)


def explained(database: Database, name: str, *pairs: tuple[str, str]) -> tuple[Plan, str]:
    """The plan that is chosen, and what the database makes of it."""

    def work(session: Session) -> tuple[Plan, str]:
        made = driven_within(session, plan(name, *pairs))
        sql, args = page_statement(
            made, audiences(REGISTRY, name, access()), Bounds(access().limits)
        )
        if database.sqlite:
            rows = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", args)
            return made, "\n".join(row[3] for row in rows)
        sql = sql.replace("?", "%s")
        rows = session.connection().exec_driver_sql(f"EXPLAIN (ANALYZE, COSTS OFF) {sql}", args)
        return made, "\n".join(row[0] for row in rows)

    return database.read(work)


def test_searches_walk_the_index_that_is_right_for_them(database: Database, monkeypatch):
    monkeypatch.setattr("service.fhir.search_drivers.FEW", 200)  # as few as there are documents
    fill(database)
    rare_codes_are_found_by_the_index_of_tokens(database)
    common_codes_are_met_in_order(database)
    patients_series_walk_the_index_of_their_subject(database)
    a_patients_documents_are_not_sought_among_everybodys(database)
    chains_begin_where_few_are(database)


def rare_codes_are_found_by_the_index_of_tokens(database: Database) -> None:
    for sort in ("_id", "-date", "_lastUpdated"):
        made, steps = explained(database, "Observation", ("code", RARE), ("_sort", sort))
        assert made.driver is not None
        assert "ix_document_tokens_value" in steps
        assert "SCAN d" not in steps
        assert "Seq Scan on documents" not in steps


def common_codes_are_met_in_order(database: Database) -> None:
    walked = {"-date": "ix_documents_date", "_lastUpdated": "ix_documents_updated"}
    for sort, index in walked.items():
        made, steps = explained(database, "Observation", ("code", COMMON), ("_sort", sort))
        assert made.driver is None
        assert index in steps
        assert "Hash" not in steps  # which would read every token first
        assert "Seq Scan" not in steps
    made, steps = explained(database, "Patient", ("name", "family"))
    assert made.driver is None
    made, steps = explained(database, "Patient", ("name", "family0007"))
    assert made.driver is not None
    assert "ix_document_strings_value" in steps


def patients_series_walk_the_index_of_their_subject(database: Database) -> None:
    for code in (RARE, COMMON):
        pairs = (("patient", patient(7)), ("code", code), ("_sort", "-date"))
        made, steps = explained(database, "Observation", *pairs)
        assert made.driver is None
        assert "ix_documents_subject" in steps
        assert "ix_document_tokens_value" not in steps


def a_patients_documents_are_not_sought_among_everybodys(database: Database) -> None:
    for sort in ("_id", "_lastUpdated"):
        _, steps = explained(database, "Observation", ("patient", patient(7)), ("_sort", sort))
        assert "ix_documents_subject" in steps


def chains_begin_where_few_are(database: Database) -> None:
    made, steps = explained(database, "Observation", ("patient.identifier", "mrn|7"))
    assert made.drivers[0].certain
    assert "ix_documents_subject" in steps
    assert "ix_document_tokens_value" in steps
    made, steps = explained(database, "Observation", ("patient.gender", "male"))
    assert made.driver is None
    assert "Hash" not in steps
    made, _ = explained(database, "Patient", ("_has:Observation:patient:code", RARE))
    assert made.driver is not None
    made, _ = explained(database, "Patient", ("_has:Observation:patient:code", COMMON))
    assert made.driver is None
    by_id, steps = explained(database, "Observation", ("_id", observation(1)))
    assert by_id.scoped
    assert "SCAN" not in steps
    assert "Seq Scan" not in steps
