"""Databases for the tests: each test has its own, on SQLite and on PostgreSQL alike."""

import itertools
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from fhir_mappings.registry import build_registry
from service.clock import Clock, system_clock
from service.database import Database
from service.fhir.projection import DocumentProjector
from service.migrations import upgrade
from service.settings import Oversight
from service.standing import OVERSIGHT
from tests.canaries import Listener
from tests.postgres import binaries, cluster

# Most tests are about something else than who is on call: tests/service/safety has those.
os.environ.setdefault("ALONGSIDE_SAFETY_ON_CALL", "named")

# Everything that these run, other tests run too; to trace it would take a third of their time.
UNTRACED = (
    "tests/architecture/",
    "tests/contract/",
    "tests/properties/",
    "tests/races/",
    "tests/api/test_fhir_hostile.py",
    "tests/fhir_mappings/test_structure_hostile.py",
    "tests/journeys/test_access_matrix",
    "tests/journeys/test_same_statements.py",
)
TEMPLATE = "alongside_template"
COPIED = "STRATEGY FILE_COPY"  # without the log, a quarter of the time
numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith(UNTRACED):
            item.add_marker(pytest.mark.no_cover)


@pytest.fixture(autouse=True)
def nobody_in_the_log() -> Iterator[None]:
    """No test makes the service write somebody's name or number into its log."""
    listener, root = Listener(), logging.getLogger()
    root.addHandler(listener)
    yield
    root.removeHandler(listener)
    assert listener.heard == []


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file."""
    file = tmp_path_factory.mktemp("template") / "template.db"
    upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a running server, with a migrated template database."""
    folder = binaries()
    if folder is None:
        if os.environ.get("ALONGSIDE_REQUIRE_POSTGRES"):
            pytest.fail("PostgreSQL's server binaries are required here and were not found")
        pytest.skip("PostgreSQL's server binaries (initdb, pg_ctl) were not found")
    with cluster(folder) as server:
        execute(server, f"CREATE DATABASE {TEMPLATE}")
        upgrade(f"{server}/{TEMPLATE}")
        yield server


def execute(server: str, statement: str) -> None:
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(statement)


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    file = tmp_path / "alongside.db"
    shutil.copy(sqlite_template, file)
    return f"sqlite:///{file}"


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    name = f"test_{next(numbers)}"
    execute(postgres_server, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} {COPIED}")
    yield f"{postgres_server}/{name}"
    execute(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated, empty database of this test's own; once of each kind."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(name)
    return url


def new_database(kind: str, request: pytest.FixtureRequest, folder: Path, stack: ExitStack) -> str:
    """A migrated, empty database of this kind, for fixtures that outlive one test."""
    if kind == "sqlite":
        file = folder / "alongside.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), file)
        return f"sqlite:///{file}"
    server, name = request.getfixturevalue("postgres_server"), f"test_{next(numbers)}"
    execute(server, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} {COPIED}")
    stack.callback(execute, server, f"DROP DATABASE {name} WITH (FORCE)")
    return f"{server}/{name}"


def open_database(
    url: str, clock: Clock = system_clock, oversight: Oversight | None = None
) -> Database:
    projector = DocumentProjector(build_registry(), clock)
    info = {OVERSIGHT: oversight} if oversight else {}
    return Database(url, projector=projector, clock=clock, info=info)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = open_database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_database(sqlite_url: str) -> Iterator[Database]:
    opened = open_database(sqlite_url)
    yield opened
    opened.close()


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[Database]:
    opened = open_database(postgres_url)
    yield opened
    opened.close()
