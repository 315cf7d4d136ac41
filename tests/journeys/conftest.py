"""Journeys go through real HTTP, on each kind of database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.matrix import World, two_hospitals
from tests.service_at import Service, serving


@pytest.fixture
def service(database_url: str, tmp_path: Path) -> Iterator[Service]:
    with serving(database_url, tmp_path) as running:
        yield running


@pytest.fixture(
    scope="session", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
)
def two(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """The world of the matrix of access, which several files ask."""
    with two_hospitals(request.param, request, tmp_path_factory.mktemp("matrix")) as opened:
        yield opened
