"""The FHIR endpoint on each kind of database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.fhir_endpoint import Endpoint, open_endpoint
from tests.api.served import Served, serve


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
