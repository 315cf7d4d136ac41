"""An erasure: what is planned is done, nothing is left, and others' facts stay true."""

from datetime import date
from pathlib import Path

import pytest
from sqlmodel import select

from service.commands import Enroll, LiftRestriction, UpdateGroup
from service.errors import BusinessRuleError, ConflictError, NotFoundError
from service.fhir.refresh import refresh_due
from service.handlers import execute
from service.models.enrollments import Attendance, Enrollment, EnrollmentStatus
from service.models.patients import Patient
from service.models.screening import Alert
from service.models.subjects import Basis, ErasedMark, Erasure, Restriction
from service.subjects import erasing, traces
from service.subjects.erasing import EraseData, erase, unfinished
from service.subjects.holding import Kind
from service.subjects.planning import plan
from service.subjects.retention import CountedFrom, Rule
from tests import world
from tests.fresh import wrong_documents
from tests.service.subjects.scene import CANARIES, NOBODY_KEEPS, holding, scene
from tests.stored import everything, rows

PROGRAMME = 1


def planned(here, rules=NOBODY_KEEPS):
    return here.database.read(
        lambda session: plan(session, here.person.id, rules, here.database.clock())
    )


def erased(here, rules=NOBODY_KEEPS, digest=None) -> Erasure:
    command = EraseData(
        patient_id=here.person.id,
        digest=digest or planned(here, rules).digest,
        basis=Basis.REQUEST,
        erased_by="officer",
    )
    return erase(here.database, command, rules)


def test_no_byte_of_the_person_is_left_in_any_table(database):
    here = scene(database)
    ids = tuple(each.id.hex for each in (here.person, here.retired))
    names = tuple(str(each.id) for each in (here.person, here.retired))
    alerts = database.read(lambda session: session.exec(select(Alert.id)).all())
    names += tuple(str(each) for each in alerts)
    assert {"consent_versions.said", "outbox.payload"} <= holding(database, CANARIES + names)
    row = erased(here)
    assert holding(database, CANARIES + ids + names) == set()
    assert (row.patient_id, row.kept, row.pending) == (None, [], {})
    assert row.erased["attendance"] == 2
    assert wrong_documents(database) == []


def test_what_was_due_goes_with_the_person(database):
    here = scene(database)
    due = "SELECT key FROM projection_due WHERE kind = 'measurement'"
    tasks = "SELECT source FROM documents WHERE type = 'Task' AND NOT deleted"
    theirs = f"SELECT id FROM enrollments WHERE patient_id = '{here.person.id.hex}'"
    mine = {str(one).replace("-", "") for (one,) in rows(database, theirs)}
    assert mine
    assert mine <= {key for (key,) in rows(database, due)}
    assert mine <= {source[12:] for (source,) in rows(database, tasks)}
    erased(here)
    assert not mine & {key for (key,) in rows(database, due)}
    assert not mine & {source[12:] for (source,) in rows(database, tasks)}


def test_what_was_due_by_a_plan_that_is_no_more_goes_too(sqlite_database):
    here = scene(sqlite_database)
    here.run(UpdateGroup(group_id=here.group.id, measurement=()))
    erased(here)
    refresh_due(sqlite_database, sqlite_database.clock)
    assert wrong_documents(sqlite_database) == []


def test_hospitals_see_deletes_and_the_others_facts_stay(database):
    here = scene(database)
    mine = f"patient_key = '{here.person.id.hex}'"
    kept = everything(database, PROGRAMME)["documents"]
    theirs = {row for row in kept if here.other.id.hex in str(row)}
    with database.engine.connect() as connection:
        gone = [
            one for (one,) in connection.exec_driver_sql(f"SELECT id FROM documents WHERE {mine}")
        ]
    erased(here)
    with database.engine.connect() as connection:
        for one in gone:
            sql = f"SELECT deleted, subject, patient_key FROM documents WHERE id = '{one}'"
            ((deleted, *whose),) = connection.exec_driver_sql(sql).all()
            assert (bool(deleted), whose) == (True, [None, None])
            history = f"SELECT 1 FROM document_versions WHERE id = '{one}'"
            assert connection.exec_driver_sql(history).all() == []
    assert theirs <= everything(database, PROGRAMME)["documents"]
    marks = database.read(lambda session: session.exec(select(Attendance.patient_id)).all())
    assert marks == [here.other.id]
    tally = database.read(lambda session: session.exec(select(ErasedMark)).all())
    assert [(each.session_id, each.mark.value, each.people) for each in tally] == [
        (here.held.id, "absent", 1)
    ]


def test_a_seat_that_is_free_is_offered(database):
    here = scene(database)
    waiting = world.patient(database)
    command = Enroll(
        patient_id=waiting.id, group_id=here.group.id, status=EnrollmentStatus.WAITLISTED
    )
    execute(database, command)
    erased(here)
    where = select(Enrollment.status).where(Enrollment.patient_id == waiting.id)
    assert database.read(lambda session: session.exec(where).one()) is EnrollmentStatus.OFFERED


def test_without_a_rule_nothing_is_erased_and_it_says_so(sqlite_database):
    here = scene(sqlite_database)
    found = planned(here, ())
    assert not found.kinds
    assert {each.why for each in found.parts} == {
        "no rule was stated for how long it is kept: state one (ALONGSIDE_RETENTION_FILE)"
    }
    with pytest.raises(BusinessRuleError, match="nothing may be erased"):
        erased(here, ())
    assert unfinished_of(sqlite_database) == []


def unfinished_of(database):
    return database.read(unfinished)


def test_what_the_law_keeps_stays_with_who_it_is_about(database):
    here = scene(database)
    keeps = Rule(
        jurisdiction=None, kinds=frozenset({"attendance"}), years=10,
        counted_from=CountedFrom.LAST_CONTACT, source="Some Act, section 1",
    )  # fmt: skip
    rules = (*NOBODY_KEEPS, keeps)
    found = {each.kind: each for each in planned(here, rules).parts}
    until = date(database.clock().year + 10, 1, 1)
    for kind in (Kind.ATTENDANCE, Kind.ENROLMENTS, Kind.PERSON):
        assert not found[kind].is_erased
        assert found[kind].until is not None
        assert found[kind].until > until
    row = erased(here, rules)
    assert row.patient_id == here.person.id
    assert {each["kind"] for each in row.kept} == {"attendance", "enrolments", "person"}
    person = database.read(lambda session: session.get(Patient, here.person.id))
    assert (person.family, person.phone, person.line) == (here.person.family, None, None)
    assert len(database.read(lambda session: session.exec(select(Attendance)).all())) == 2
    where = select(Restriction).where(Restriction.patient_id == here.person.id)
    stopped = database.read(lambda session: session.exec(where).one())
    with pytest.raises(BusinessRuleError, match="stays restricted"):
        execute(database, LiftRestriction(restriction_id=stopped.id, lifted_by="t"))
    left = {place.partition(".")[0] for place in holding(database, CANARIES)}
    assert left <= {"patients", "documents", "document_strings", "import_keys"}
    assert wrong_documents(database) == []
    for number in (here.a.number, here.b.number):
        about = [row for row in everything(database, number)["documents"] if not row[5]]
        assert not [row for row in about if b"Zanzibarquince" in row[4]]


def test_an_erasure_is_done_as_it_was_planned_or_not_at_all(database):
    here = scene(database)
    digest = planned(here).digest
    world.respond(database, here.person)
    with pytest.raises(ConflictError, match="read the plan again"):
        erased(here, digest=digest)
    with pytest.raises(NotFoundError):
        erase(
            database,
            EraseData(patient_id=here.group.id, digest=digest, basis=Basis.REQUEST, erased_by="t"),
            NOBODY_KEEPS,
        )


@pytest.mark.parametrize("name", ["_rows", "_person", "_documents", "_end"])
def test_what_was_stopped_goes_on(sqlite_database, monkeypatch, name):
    here = scene(sqlite_database)
    whole = getattr(erasing, name)

    def stop(*given, **more):
        whole(*given, **more)
        raise KeyboardInterrupt

    monkeypatch.setattr(erasing, name, stop)
    with pytest.raises(KeyboardInterrupt):
        erased(here)
    monkeypatch.setattr(erasing, name, whole)
    assert len(unfinished_of(sqlite_database)) == 1
    command = EraseData(
        patient_id=here.person.id, digest="any", basis=Basis.REQUEST, erased_by="officer"
    )
    row = erase(sqlite_database, command, NOBODY_KEEPS)
    assert row.done_at is not None
    assert holding(sqlite_database, CANARIES) == set()
    assert unfinished_of(sqlite_database) == []


def test_a_retired_record_is_erased_with_the_one_that_took_its_place(sqlite_database):
    here = scene(sqlite_database)
    found = sqlite_database.read(
        lambda session: plan(session, here.retired.id, NOBODY_KEEPS, sqlite_database.clock())
    )
    assert found.person == here.person.id
    assert found.digest == planned(here).digest


def test_nothing_is_left_in_the_file_once_it_is_scrubbed(sqlite_database, sqlite_url):
    here = scene(sqlite_database)
    erased(here)
    sqlite_database.close()
    traces.scrub(sqlite_url)
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    for each in file.parent.glob(f"{file.name}*"):
        content = each.read_bytes()
        assert [word for word in CANARIES if word.encode() in content] == [], each
