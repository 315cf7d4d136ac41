"""Journeys go through real HTTP, on each kind of database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service_at import Service, serving


@pytest.fixture
def service(database_url: str, tmp_path: Path) -> Iterator[Service]:
    with serving(database_url, tmp_path) as running:
        yield running
