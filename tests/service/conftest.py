"""Databases whose clock the test sets."""

from collections.abc import Iterator

import pytest

from service.database import Database
from tests.conftest import open_database
from tests.series import Time


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def timed(database_url: str, time: Time) -> Iterator[Database]:
    opened = open_database(database_url, time)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_timed(sqlite_url: str, time: Time) -> Iterator[Database]:
    """For what does not depend on the kind of database."""
    opened = open_database(sqlite_url, time)
    yield opened
    opened.close()
