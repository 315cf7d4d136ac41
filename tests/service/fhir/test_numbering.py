"""No two documents have one number, and what is written together has neighbours."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

from service.database import Database
from service.fhir.numbering import next_number
from tests import world
from tests.conftest import open_database

NUMBERS = "SELECT number FROM documents ORDER BY number"


def numbers(database: Database) -> list[int]:
    with database.engine.connect() as connection:
        return [number for (number,) in connection.exec_driver_sql(NUMBERS)]


def test_documents_of_one_transaction_are_neighbours(database):
    person = world.linked(database, world.hospital(database))
    before = numbers(database)
    world.respond(database, person)
    new = sorted(set(numbers(database)) - set(before))
    assert len(new) > 2
    assert all(second - first == 1 for first, second in pairwise(new))


def test_threads_and_processes_get_numbers_that_nobody_else_has(database):
    hospital = world.hospital(database)
    other = open_database(str(database.engine.url.render_as_string(hide_password=False)))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: world.linked((database, other)[n % 2], hospital), range(16)))
    found = numbers(database)
    other.close()
    assert len(found) == len(set(found)) > 16


def test_what_was_undone_leaves_its_numbers_out(database):
    taken = []

    def work(session):
        taken.append(next_number(session))
        if len(taken) == 1:
            raise LookupError

    for _ in range(2):
        try:
            database.unit_of_work(work)
        except LookupError:
            continue
    world.linked(database, world.hospital(database))
    assert min(numbers(database)) >= min(taken)
    assert database.sqlite or taken[1] > taken[0]
