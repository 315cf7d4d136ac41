"""The FHIR endpoint on each kind of database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.fhir_endpoint import Endpoint, open_endpoint


@pytest.fixture
def endpoint(database_url: str, tmp_path: Path) -> Iterator[Endpoint]:
    with open_endpoint(database_url, tmp_path) as opened:
        yield opened
