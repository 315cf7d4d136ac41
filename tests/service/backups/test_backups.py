"""A copy taken while others write is one moment, and what is taken back is byte for byte it."""

import itertools
import shutil
import sqlite3
import threading
import zlib
from collections import defaultdict
from contextlib import closing

import psycopg
import pytest
from sqlalchemy import text

from service import backups
from service.audit import AuditEntry, open_audit, prepare
from service.backups import postgresql
from service.clock import microseconds, system_clock
from service.commands import UpdatePatient
from service.engine import create_engine
from service.errors import BackupError
from service.handlers import execute as carry_out
from service.identifiers import new_id
from service.migrations import newest
from service.settings import Settings
from tests import world
from tests.conftest import execute, numbers, open_database
from tests.fresh import wrong_documents

WRITERS = 4
WRITTEN_BEFORE = 40
CURRENT = "SELECT id, version, last_updated, content FROM documents"
ARCHIVED = "SELECT id, version, last_updated, content FROM document_versions"
EVENTS = "SELECT id, version, at FROM events"
KEY = "SELECT identifier_key FROM installation"
AUDIT = "SELECT count(*) FROM audit_entries"


@pytest.fixture
def other_url(request, database_url, tmp_path):
    """An empty place to restore to, of the same kind."""
    if database_url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path / 'other.db'}"
        return
    server, name = request.getfixturevalue("postgres_server"), f"restored_{next(numbers)}"
    execute(server, f"CREATE DATABASE {name}")
    yield f"{server}/{name}"
    execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def settings_of(url):
    return Settings(database_url=url)


def asked(url, sql):
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return connection.execute(text(sql)).all()
    finally:
        engine.dispose()


def entry(number):
    at = microseconds(system_clock())
    return AuditEntry(new_id().hex, at, None, None, None, "GET", f"/{number}", None, 200)


def contents(url):
    """Every version that there ever was."""
    found = {(r.id, r.version): bytes(r.content) for r in asked(url, CURRENT)}
    archived = asked(url, ARCHIVED)
    return found | {(r.id, r.version): zlib.decompress(r.content) for r in archived}


def by_moment(url):
    """The versions that each change brought about: a change has one stamp."""
    found = defaultdict(set)
    for row in asked(url, EVENTS):
        found[row.at].add((row.id, row.version))
    return found


class Load:
    """People whose records and audit rows are written by threads until the block ends."""

    def __init__(self, url):
        self.url, self.failed = url, []
        self.ended, self.enough = threading.Event(), threading.Event()
        self.numbers = itertools.count()
        self.database = open_database(url)
        hospital, self.group = world.hospital(self.database), world.group(self.database)
        people = [world.linked(self.database, hospital) for _ in range(WRITERS)]
        for person in people:
            world.enroll(self.database, person, self.group)
        self.threads = [threading.Thread(target=self.write, args=(each,)) for each in people]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        assert self.enough.wait(60)
        return self

    def __exit__(self, *_failure):
        self.ended.set()
        for thread in self.threads:
            thread.join()
        self.database.close()

    def write(self, person):
        writer = open_audit(settings_of(self.url).audit_url)
        try:
            while not self.ended.is_set():
                number = next(self.numbers)
                name = UpdatePatient(patient_id=person.id, given=f"Given{number}")
                carry_out(self.database, name)
                answers = world.phq9(number % 4)
                world.respond(self.database, person, answers, group_id=self.group.id)
                writer.write_now(entry(number))
                if number > WRITTEN_BEFORE:
                    self.enough.set()
        except Exception as error:
            self.failed.append(error)
        writer.close()


def test_a_copy_under_load_is_one_moment_and_comes_back_byte_for_byte(
    database_url, other_url, tmp_path
):
    settings = settings_of(database_url)
    prepare(settings.audit_url)
    with Load(database_url) as load:
        at_begin = next(load.numbers)
        files = backups.backup(settings, tmp_path / "copy")
        at_end = next(load.numbers)
    assert load.failed == []
    assert at_end > at_begin + 1  # they went on during the copy

    assert backups.restore(settings_of(other_url), files[0]) == newest()
    there, here = contents(other_url), contents(database_url)
    assert there.items() <= here.items()
    assert len(there) < len(here)
    of_copy, of_all = by_moment(other_url), by_moment(database_url)
    assert {at: of_all[at] for at in of_copy} == of_copy  # each change whole or not at all
    latest = dict(sorted(itertools.chain(*of_copy.values())))
    current = {row.id: row for row in asked(other_url, CURRENT)}
    assert {one: row.version for one, row in current.items()} == latest
    assert all(bytes(row.content) == here[one, row.version] for one, row in current.items())
    assert asked(other_url, KEY) == asked(database_url, KEY)
    restored = open_database(other_url)
    assert wrong_documents(restored) == []
    restored.close()
    audit = asked(settings_of(other_url).audit_url, AUDIT)[0][0]
    assert WRITTEN_BEFORE - WRITERS < audit <= asked(settings.audit_url, AUDIT)[0][0]


@pytest.fixture
def copied(database_url, tmp_path):
    """An installation with its copy, and nothing connected."""
    prepare(settings_of(database_url).audit_url)
    file = tmp_path / "copy"
    backups.backup(settings_of(database_url), file)
    return file


def test_what_holds_an_installation_is_replaced_only_when_told(database_url, copied):
    database = open_database(database_url)
    world.group(database)
    database.close()
    changed = asked(database_url, CURRENT)
    assert changed
    with pytest.raises(BackupError, match="--replace"):
        backups.restore(settings_of(database_url), copied)
    assert asked(database_url, CURRENT) == changed
    backups.restore(settings_of(database_url), copied, replace=True)
    assert asked(database_url, CURRENT) == []


def test_a_database_that_is_served_is_not_replaced(database_url, copied):
    database = open_database(database_url)
    database.read(lambda session: session.execute(text("SELECT count(*) FROM documents")).all())
    with pytest.raises(BackupError, match="first"):
        backups.restore(settings_of(database_url), copied, replace=True)
    database.close()


def test_tables_of_a_newer_version_do_not_outlive_an_older_copy(database_url, copied, tmp_path):
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE upkeep"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0007_statistics'"))
    engine.dispose()
    older = tmp_path / "older"
    backups.backup(settings_of(database_url), older)
    backups.restore(settings_of(database_url), copied, replace=True)
    assert asked(database_url, "SELECT count(*) FROM upkeep") == [(0,)]
    assert backups.restore(settings_of(database_url), older, replace=True) == "0007_statistics"
    with pytest.raises(Exception, match="upkeep"):
        asked(database_url, "SELECT count(*) FROM upkeep")


def test_a_copy_of_an_unknown_revision_is_refused(database_url, copied, tmp_path):
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999_tomorrow'"))
    engine.dispose()
    newer = tmp_path / "newer"
    backups.backup(settings_of(database_url), newer)
    with pytest.raises(BackupError, match="9999_tomorrow"):
        backups.restore(settings_of(database_url), newer, replace=True)
    assert copied.exists()


def test_a_damaged_copy_is_refused_and_nothing_is_written(other_url, copied):
    whole = copied.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"not a copy at all" * 100):
        copied.write_bytes(damaged)
        with pytest.raises(BackupError):
            backups.restore(settings_of(other_url), copied)
        if other_url.startswith("postgresql"):
            with psycopg.connect(other_url) as connection:
                assert connection.execute(postgresql.TABLES).fetchall() == []
            continue
        with pytest.raises(BackupError, match="no database"):
            backups.backup(settings_of(other_url), copied.with_name("nothing"))


def test_a_file_that_exists_is_not_overwritten(database_url, copied):
    before = copied.read_bytes()
    with pytest.raises(BackupError, match="exists"):
        backups.backup(settings_of(database_url), copied)
    assert copied.read_bytes() == before


def test_a_copy_without_its_audit_rows_is_refused(sqlite_url, tmp_path):
    settings = settings_of(sqlite_url)
    prepare(settings.audit_url)
    main, audit = backups.backup(settings, tmp_path / "copy.db")
    assert audit.name == "copy-audit.db"
    audit.unlink()
    with pytest.raises(BackupError, match="copy-audit"):
        backups.restore(settings_of(f"sqlite:///{tmp_path / 'new.db'}"), main)
    assert not (tmp_path / "new.db").exists()


def test_a_sqlite_copy_is_one_file_that_others_can_read(sqlite_url, tmp_path):
    prepare(settings_of(sqlite_url).audit_url)
    main, _ = backups.backup(settings_of(sqlite_url), tmp_path / "copy.db")
    assert {each.name for each in tmp_path.glob("copy.db*")} == {"copy.db"}
    with closing(sqlite3.connect(main)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_programs_that_are_not_there_are_named_with_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    monkeypatch.setattr(postgresql, "DEBIAN", tmp_path)
    with pytest.raises(BackupError, match="pg_dump was not found: install"):
        postgresql.program("pg_dump")
    for version in ("9", "15", "notes"):
        folder = tmp_path / version / "bin"
        folder.mkdir(parents=True)
        (folder / "pg_dump").touch()
    assert postgresql.program("pg_dump") == str(tmp_path / "15" / "bin" / "pg_dump")


@pytest.mark.postgres
def test_a_password_is_no_argument_and_no_part_of_what_is_said(postgres_url, tmp_path, monkeypatch):
    seen = []
    run = postgresql.subprocess.run

    def record(command, **more):
        seen.append((command, more["env"]))
        return run(command, **more)

    monkeypatch.setattr(postgresql.subprocess, "run", record)
    secret = postgres_url.replace("alongside@", "alongside:hidden@")
    backups.backup(settings_of(secret), tmp_path / "copy")
    assert "hidden" not in str([command for command, _ in seen])
    assert seen[0][1]["PGPASSWORD"] == "hidden"
    nowhere = "postgresql://someone:hidden@127.0.0.1:1/x"
    with pytest.raises(BackupError) as refused:
        backups.backup(settings_of(nowhere), tmp_path / "none")
    assert "hidden" not in str(refused.value)
