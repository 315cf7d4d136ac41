"""A database with people on duty."""

from collections.abc import Iterator

import pytest

from tests.service.safety.on_call import Duty


@pytest.fixture
def duty(database_url: str) -> Iterator[Duty]:
    made = Duty(database_url)
    yield made
    made.database.close()


@pytest.fixture
def tiered(sqlite_url: str) -> Iterator[Duty]:
    """The same, with the tiers of the reference."""
    made = Duty(sqlite_url, "tiers")
    yield made
    made.database.close()
