"""The FHIR endpoint on each kind of database."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.api import clients
from tests.api.clients import Client
from tests.api.fhir_endpoint import Endpoint, open_endpoint
from tests.api.served import Served, serve
from tests.conftest import new_database


@pytest.fixture
def endpoint(database_url: str, tmp_path: Path) -> Iterator[Endpoint]:
    with open_endpoint(database_url, tmp_path) as opened:
        yield opened


@pytest.fixture
def served(database_url: str, tmp_path: Path) -> Iterator[Served]:
    """The whole application, pages and all."""
    with serve(database_url, tmp_path) as opened:
        yield opened


@pytest.fixture
def served_on_sqlite(sqlite_url: str, tmp_path: Path) -> Iterator[Served]:
    with serve(sqlite_url, tmp_path) as opened:
        yield opened


@pytest.fixture(scope="module")
def unlimited(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An application that the tests of a file share, which may ask as often as they like."""
    folder = tmp_path_factory.mktemp("unlimited")
    file = folder / "alongside.db"
    file.write_bytes(sqlite_template.read_bytes())
    off = {f"oauth_{name}_rate": "off" for name in ("address", "failure", "client")}
    with serve(f"sqlite:///{file}", folder, **off) as opened:
        yield opened


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
)
def shared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Endpoint]:
    """An endpoint that the tests of a file share: each has hospitals of its own there."""
    folder = tmp_path_factory.mktemp("shared")
    with ExitStack() as stack:
        url = new_database(request.param, request, folder, stack)
        yield stack.enter_context(open_endpoint(url, folder))


@pytest.fixture
def sender(shared: Endpoint) -> Client:
    """A client of a hospital that nobody else in the file knows."""
    return clients.hospital(shared)


@pytest.fixture
def stranger(shared: Endpoint) -> Client:
    """A client of another hospital."""
    return clients.hospital(shared, "Elsewhere")


@pytest.fixture
def programme(shared: Endpoint) -> Client:
    return Client(shared)
