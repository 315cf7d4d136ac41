"""What two callers record at once is recorded once, and versions of rules are not skipped."""

from concurrent.futures import ThreadPoolExecutor

from sqlmodel import select

from service.commands import PublishRules, RecordAgreement
from service.database import Database
from service.errors import AlongsideError, DuplicateError
from service.handlers import execute
from service.models.facilitation import Supervision
from service.models.rules import Agreement, AgreementMethod, RulesVersion
from tests import staff, world

CALLERS = 8


def at_once(call, times=CALLERS):
    """What each of these simultaneous calls returned or raised."""

    def attempt(number):
        try:
            return call(number)
        except AlongsideError as error:
            return error

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(attempt, range(times)))


def rows(database, table):
    return database.read(lambda session: session.exec(select(table)).all())


def test_versions_that_are_published_at_once_are_numbered_one_after_the_other(database: Database):
    at_once(lambda n: execute(database, PublishRules(text=f"Rule {n}", published_by="t")))
    found = sorted(rows(database, RulesVersion), key=lambda row: row.number)
    assert [row.number for row in found] == list(range(1, CALLERS + 1))
    assert [row.in_force_from for row in found] == sorted(row.in_force_from for row in found)


def test_an_agreement_that_is_recorded_twice_at_once_is_one(database: Database):
    rules = execute(database, PublishRules(text="Be kind.", published_by="t"))
    person = world.patient(database)
    command = RecordAgreement(
        patient_id=person.id, rules_id=rules.id, method=AgreementMethod.PAPER, recorded_by="t"
    )
    answers = at_once(lambda _: execute(database, command))
    assert sum(isinstance(each, DuplicateError) for each in answers) == CALLERS - 1
    assert len(rows(database, Agreement)) == 1


def test_supervision_that_is_arranged_at_once_is_one(database: Database):
    person = world.facilitator(database)
    answers = at_once(lambda n: staff.supervise(database, person, contact=f"Contact {n}"))
    assert not any(isinstance(each, AlongsideError) for each in answers)
    (row,) = rows(database, Supervision)
    assert row.row_version == CALLERS
