"""The whole demo, loaded once; tests that use it only read."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from api.demo.load import load
from api.demo.scenario import make_plan
from fhir_mappings.registry import build_registry
from service.database import Database
from service.fhir.projection import DocumentProjector


@pytest.fixture(scope="session")
def loaded(sqlite_template, tmp_path_factory) -> Iterator[Database]:
    file = tmp_path_factory.mktemp("demo") / "demo.db"
    file.write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite:///{file}", projector=DocumentProjector(build_registry()))
    load(database, make_plan(datetime.now(UTC).date()))
    yield database
    database.close()
