"""Facilitators: changed, with credentials and supervision that only staff know of."""

from datetime import timedelta

import pytest
from sqlmodel import SQLModel, select

from service.commands import (
    ArrangeSupervision,
    RecordSupervision,
    UpdateCredential,
    UpdateFacilitator,
    UpdateGroup,
)
from service.database import Database
from service.errors import AlongsideError, BusinessRuleError, NotFoundError, VersionError
from service.handlers import execute
from service.identifiers import new_id
from service.models.documents import PUBLIC, Document, DocumentVersion
from service.models.facilitation import Supervision
from service.models.groups import Facilitation
from tests import staff, world
from tests.fresh import wrong_documents
from tests.staff import DAY, documents

STAFF = ("facilitator_credentials", "supervisions", "supervision_sessions")


@pytest.fixture
def today():
    return world.now().date()


def refused(database, command):
    """The element that the refusal names, and its message."""
    with pytest.raises(AlongsideError) as caught:
        execute(database, command)
    return caught.value.element, caught.value.message


def test_a_facilitator_is_changed_and_the_documents_follow(database: Database) -> None:
    person = world.facilitator(database, name_is_public=True)
    change = UpdateFacilitator(
        facilitator_id=person.id, kind=Facilitation.PROFESSIONAL, active=False, if_match=1
    )
    assert execute(database, change).row_version == 2
    assert not wrong_documents(database)
    with pytest.raises(VersionError):
        execute(database, change)
    wrong = UpdateFacilitator(facilitator_id=person.id, kind=Facilitation.CO_LED)
    assert refused(database, wrong)[0] == "kind"
    assert refused(database, UpdateFacilitator(facilitator_id=person.id, family=" "))[0] == "family"
    with pytest.raises(NotFoundError):
        execute(database, UpdateFacilitator(facilitator_id=new_id(), active=True))


def test_a_name_that_is_taken_back_is_gone_with_its_past(database: Database) -> None:
    person = world.facilitator(database, family="Shown", name_is_public=True)

    def show(*, public: bool, **more: str) -> None:
        change = UpdateFacilitator(facilitator_id=person.id, name_is_public=public, **more)
        execute(database, change)

    show(public=True, given="Other")
    show(public=False)
    assert not wrong_documents(database)
    show(public=True, family="Changed")
    named = select(Document.id).where(Document.type == "Practitioner", Document.audience == PUBLIC)

    def past(session):
        ids = session.exec(named).all()
        versions = session.exec(select(DocumentVersion)).all()
        return ids, [one.sealed for one in versions if one.id in ids and not one.deleted]

    ids, sealed = database.read(past)
    assert len(ids) == 1
    assert sealed
    assert all(sealed)


def test_whoever_is_not_active_is_given_no_further_group(sqlite_database: Database) -> None:
    person = world.facilitator(sqlite_database)
    group = staff.led(sqlite_database, person)
    execute(sqlite_database, UpdateFacilitator(facilitator_id=person.id, active=False))
    same = UpdateGroup(group_id=group.id, facilitator_id=person.id, capacity=9)
    assert execute(sqlite_database, same).capacity == 9
    other = world.group(sqlite_database)
    give = UpdateGroup(group_id=other.id, facilitator_id=person.id)
    assert refused(sqlite_database, give) == ("facilitator_id", "the facilitator is not active")
    with pytest.raises(BusinessRuleError):
        staff.led(sqlite_database, person)
    with pytest.raises(AlongsideError):
        execute(sqlite_database, UpdateGroup(group_id=other.id, facilitator_id=new_id()))


def test_credentials_and_supervision_change_no_document(database: Database) -> None:
    person = world.facilitator(database, name_is_public=True)
    supervisor = world.facilitator(database)
    staff.led(database, person)
    before = documents(database)
    held = staff.credential(database, person, expires=None)
    execute(database, UpdateCredential(credential_id=held.id, expires=world.now().date() - DAY))
    staff.supervise(database, person, supervisor_id=supervisor.id)
    staff.supervised(database, person, world.now().date())
    assert documents(database) == before
    assert not wrong_documents(database)


def test_staff_data_refer_to_no_patient_and_are_no_source_of_documents() -> None:
    tables = SQLModel.metadata.tables
    pending, reached = set(STAFF), set[str]()
    while pending:
        name = pending.pop()
        reached.add(name)
        pending |= {key.column.table.name for key in tables[name].foreign_keys} - reached
    assert reached == {*STAFF, "facilitators"}


def test_what_a_credential_may_not_be_is_named(sqlite_database: Database, today) -> None:
    person = world.facilitator(sqlite_database)
    held = staff.credential(sqlite_database, person, issued=today, expires=today)

    def change(**more):
        return refused(sqlite_database, UpdateCredential(credential_id=held.id, **more))

    assert change(expires=today - DAY) == ("expires", "must not lie before the day it was issued")
    assert change(issued=today + 3 * DAY) == ("issued", "must not lie in the future")
    assert change(kind=" ")[0] == "kind"
    assert change(issuer="")[0] == "issuer"
    assert change(counts=False, if_match=9)[0] is None
    with pytest.raises(NotFoundError):
        staff.credential(sqlite_database, world.facilitator(sqlite_database).model_copy(
            update={"id": new_id()}
        ))  # fmt: skip


def test_a_supervisor_is_another_facilitator_or_a_named_contact(
    sqlite_database: Database,
) -> None:
    person, other = world.facilitator(sqlite_database), world.facilitator(sqlite_database)

    def arrange(**more):
        command = ArrangeSupervision(facilitator_id=person.id, **more)
        return refused(sqlite_database, command)

    assert arrange()[0] == "supervisor_id"
    assert arrange(supervisor_id=other.id, contact="Dr. Lee")[0] == "supervisor_id"
    assert arrange(contact=" ")[0] == "contact"
    assert arrange(supervisor_id=person.id)[1] == "nobody supervises themselves"
    assert arrange(supervisor_id=new_id())[0] == "supervisor_id"
    assert "arranged yet" in arrange(contact="Dr. Lee", if_match=1)[1]
    first = staff.supervise(sqlite_database, person)
    again = staff.supervise(sqlite_database, person, supervisor_id=other.id, if_match=1)
    assert (again.id, again.row_version) == (first.id, 2)
    assert (again.supervisor_id, again.contact) == (other.id, None)
    assert "current version" in arrange(contact="Dr. Lee", if_match=1)[1]


def test_a_supervision_session_keeps_with_whom_and_says_when_next(
    database: Database, today
) -> None:
    person, other = world.facilitator(database), world.facilitator(database)
    early = RecordSupervision(facilitator_id=person.id, held_on=today, recorded_by="t")
    assert "first say who" in refused(database, early)[1]
    staff.supervise(database, person, supervisor_id=other.id, next_due=today)

    def due():
        return database.read(lambda session: session.exec(select(Supervision.next_due)).one())

    held = staff.supervised(database, person, today - DAY, next_due=today + 9 * DAY)
    assert (held.supervisor_id, held.contact, due()) == (other.id, None, today + 9 * DAY)
    staff.supervised(database, person, today - 5 * DAY, next_due=today)  # told late
    assert due() == today + 9 * DAY
    staff.supervised(database, person, today)
    assert due() is None


def test_a_supervision_session_has_been_held(sqlite_database: Database, today) -> None:
    person = world.facilitator(sqlite_database)
    staff.supervise(sqlite_database, person)

    def record(**more):
        values = {"held_on": today, "recorded_by": "t", **more}
        command = RecordSupervision(facilitator_id=person.id, **values)
        return refused(sqlite_database, command)

    assert record(held_on=today + timedelta(days=2))[0] == "held_on"
    assert record(next_due=today)[0] == "next_due"
    assert record(recorded_by="")[0] == "recorded_by"
