"""`/v1` through the whole application, over each kind of database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.v1.programme import Api, open_api


@pytest.fixture
def api(database_url: str, tmp_path: Path) -> Iterator[Api]:
    with open_api(database_url, tmp_path) as opened:
        yield opened


@pytest.fixture
def sqlite_api(sqlite_url: str, tmp_path: Path) -> Iterator[Api]:
    """For what does not depend on the kind of database."""
    with open_api(sqlite_url, tmp_path) as opened:
        yield opened
