from datetime import timedelta

from service.database import Database
from service.fhir.refresh import DUE, refresh_due
from service.models.consents import Category
from tests import world
from tests.conftest import open_database
from tests.fresh import wrong_documents


class Moved:
    """A clock that a test sets ahead."""

    ahead = timedelta()

    def __call__(self):
        return world.now() + self.ahead


def visible(database: Database, audience: int, name: str) -> int:
    where = f"audience = {audience} AND type = '{name}' AND NOT deleted"
    sql = f"SELECT count(*) FROM documents WHERE {where}"
    return database.read(lambda session: session.connection().exec_driver_sql(sql).scalar_one())


def test_a_consent_takes_effect_and_ends_by_the_clock(database_url: str):
    clock = Moved()
    database = open_database(database_url, clock)
    hospital = world.hospital(database)
    person = world.patient(database)
    world.link(database, person, hospital)
    world.respond(database, person)
    start = world.now() + timedelta(hours=1)
    world.consent(
        database, person, hospital, [Category.SCORES], start=start, end=start + timedelta(hours=1)
    )
    seen = []
    for hours in (0, 1.5, 2.5):
        clock.ahead = timedelta(hours=hours)
        refreshed = refresh_due(database, clock)
        assert refresh_due(database, clock) == 0
        seen.append((refreshed, visible(database, hospital.number, "Observation")))
    assert seen == [(0, 0), (1, 1), (1, 0)]
    assert wrong_documents(database) == []
    database.close()


def test_a_due_row_without_a_consent_goes_away(sqlite_database: Database):
    def work(session) -> None:
        sql = f"INSERT INTO projection_due (key, kind, at) VALUES ('{'0' * 32}', 'consents', 1)"
        session.connection().exec_driver_sql(sql)

    sqlite_database.unit_of_work(work)
    assert refresh_due(sqlite_database, world.now) == 1
    due = DUE.replace("?", "2")
    assert sqlite_database.read(lambda s: s.connection().exec_driver_sql(due).first()) is None
