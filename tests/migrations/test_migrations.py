"""The revisions make what the models say, and the guard stands in every database."""

import sqlite3

import psycopg
import pytest
from alembic import command
from sqlalchemy import text

from service.database import Database
from service.engine import WRITING, create_engine
from service.guard import SCHEMA_CHANGE
from service.migrations import check, configuration, current, newest, upgrade
from service.migrations.schema import missing_triggers
from service.models.base import projected_tables

PLACE = "INSERT INTO places (id, row_version, created_at, name) VALUES ('{}', 1, '2026-01-01', 'x')"
ID = "0" * 32
WAIT = (
    "INSERT INTO enrollments (id, row_version, created_at, patient_id, group_id, status, start)"
    f" VALUES ('{{}}', 1, '2026-01-01', '{ID}', '{{}}', '{{}}', '2026-01-{{}}')"
)
CLIENT = (
    "INSERT INTO clients (id, row_version, created_at, name, secret_hash, scopes, ceiling,"
    " roster_role) VALUES ('{}', 1, '2026-01-01', 'old', 'hash', '[]', 'R', 0)"
)


@pytest.fixture
def fresh_url(tmp_path) -> str:
    url = f"sqlite:///{tmp_path / 'fresh.db'}"
    upgrade(url)
    return url


def key(url: str) -> bytes:
    database = Database(url)
    statement = text("SELECT identifier_key FROM installation")
    found = database.read(lambda session: session.execute(statement).scalar_one())
    database.close()
    return bytes(found)


def test_models_and_revisions_agree_on_sqlite():
    assert check() == []


@pytest.mark.postgres
def test_models_and_revisions_agree_on_postgresql(postgres_url):
    assert check(postgres_url) == []


def test_a_difference_is_told(tmp_path):
    url = f"sqlite:///{tmp_path / 'other.db'}"
    upgrade(url)
    with sqlite3.connect(tmp_path / "other.db") as connection:
        connection.execute("DROP INDEX ix_documents_source")
    connection.close()
    assert any("ix_documents_source" in each for each in check(url))


def test_upgrading_twice_keeps_the_installations_key(fresh_url):
    before = key(fresh_url)
    upgrade(fresh_url)
    assert key(fresh_url) == before
    assert len(before) == 32
    assert current(fresh_url) == newest()


def test_the_planner_is_told_of_every_index_of_the_document_store(fresh_url):
    with sqlite3.connect(fresh_url.removeprefix("sqlite:///")) as connection:
        sql = (
            "SELECT l.name, l.wr, i.name, (SELECT count(*) FROM pragma_index_info(i.name))"
            " FROM pragma_table_list l, pragma_index_list(l.name) i WHERE l.name LIKE 'document%'"
        )
        rows = connection.execute(sql).fetchall()
        told = connection.execute("SELECT tbl, idx, stat FROM sqlite_stat1").fetchall()
    connection.close()
    own = {(table, table if wr and name.startswith("sqlite_") else name): count
           for table, wr, name, count in rows if table != "document_versions"}  # fmt: skip
    assert {(table, name): len(stat.split()) - 1 for table, name, stat in told} == own


def test_clients_keep_their_secrets_and_tokens_when_keys_arrive(tmp_path):
    url = f"sqlite:///{tmp_path / 'older.db'}"
    to_revision(url, "0007_statistics")
    with sqlite3.connect(tmp_path / "older.db") as connection:
        connection.execute(CLIENT.format(ID))
        connection.execute(f"INSERT INTO access_tokens VALUES ('t', '{ID}', 'x', 1, 2, 'cli', 0)")
    connection.close()
    upgrade(url)
    with sqlite3.connect(tmp_path / "older.db") as connection:
        select = "SELECT name, secret_hash, jwks, jwks_url, algorithms FROM clients"
        assert connection.execute(select).fetchall() == [("old", "hash", None, None, None)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("SELECT count(*) FROM access_tokens").fetchone() == (1,)
        connection.execute("UPDATE clients SET secret_hash = NULL")
    connection.close()


def test_who_waits_already_does_so_in_the_order_of_their_waits(tmp_path):
    url, file = f"sqlite:///{tmp_path / 'older.db'}", tmp_path / "older.db"
    to_revision(url, "0009_upkeep")
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        for number, (group, status, start) in enumerate(
            (("a", "waitlisted", "02"), ("a", "active", "01"), ("a", "waitlisted", "01"),
             ("b", "waitlisted", "03"), ("a", "waitlisted", "02"), ("b", "finished", "01"))
        ):  # fmt: skip
            connection.execute(WAIT.format(f"{number:032}", group * 32, status, start))
        connection.execute(f"INSERT INTO projection_due (patient_id, at) VALUES ('{ID}', 5)")
    connection.close()
    upgrade(url)
    with sqlite3.connect(file) as connection:
        found = connection.execute("SELECT queue_number FROM enrollments ORDER BY id").fetchall()
        assert [number for (number,) in found] == [2, None, 1, 1, 3, None]
        assert connection.execute("SELECT kind, key, at FROM projection_due").fetchall() == [
            ("consents", ID, 5)
        ]
    connection.close()


def to_revision(url: str, revision: str) -> None:
    """Bring an empty database to an older revision."""
    engine = create_engine(url)
    with engine.connect().execution_options(**{WRITING: True}) as connection:
        connection.info[SCHEMA_CHANGE] = True
        config = configuration()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()
    engine.dispose()


def test_two_installations_have_different_keys(fresh_url, tmp_path):
    other = f"sqlite:///{tmp_path / 'other.db'}"
    upgrade(other)
    assert key(other) != key(fresh_url)


@pytest.mark.usefixtures("fresh_url")
def test_another_program_cannot_write_a_projected_table_on_sqlite(tmp_path):
    with sqlite3.connect(tmp_path / "fresh.db") as connection:
        for table in projected_tables():
            with pytest.raises(sqlite3.Error, match="alongside_unit_of_work"):
                connection.execute(f"DELETE FROM {table}")
    connection.close()


def test_our_own_engine_is_refused_by_the_trigger_too(fresh_url):
    engine = create_engine(fresh_url)  # without the guard of `Database`
    with engine.connect() as connection, pytest.raises(Exception, match="unit of work alone"):
        connection.execute(text(PLACE.format(ID)))
    engine.dispose()


@pytest.mark.postgres
def test_another_program_cannot_write_a_projected_table_on_postgresql(postgres_url):
    for table in projected_tables():
        with psycopg.connect(postgres_url) as connection:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"DELETE FROM {table}")  # type: ignore[arg-type]
            connection.rollback()


def test_a_guard_that_lost_a_trigger_is_repaired(fresh_url, tmp_path):
    with sqlite3.connect(tmp_path / "fresh.db") as connection:
        connection.execute("DROP TRIGGER guard_places_insert")
    connection.close()
    upgrade(fresh_url)
    engine = create_engine(fresh_url)
    with engine.connect() as connection:
        assert missing_triggers(connection) == set()
    engine.dispose()


@pytest.mark.postgres
def test_audit_rows_are_in_the_same_database_on_postgresql(postgres_url):
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SELECT count(*) FROM audit_entries").fetchone() == (0,)
