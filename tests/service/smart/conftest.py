"""The authorization server over a test's database."""

import pytest

from service.smart.server import Server
from tests.service.smart.backend import server_on


@pytest.fixture
def server(sqlite_database) -> Server:
    return server_on(sqlite_database)
