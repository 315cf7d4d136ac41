"""No owner's contacts are told sooner or later because there are others; each list is its own."""

import hashlib
import re
import zlib
from contextlib import ExitStack
from datetime import timedelta
from itertools import count
from uuid import UUID

import pytest
from sqlalchemy import text

from service import identifiers
from service.commands import (
    AcknowledgeAlert,
    CreatePatient,
    EscalateAlert,
    LinkPatient,
    RecordConsent,
    ResolveAlert,
)
from service.handlers import execute
from service.models.aggregates import patient_aggregate
from service.models.consents import Category
from service.models.safety import ContactRole
from service.models.screening import Alert
from service.safety.telling import time_is_up
from tests import world
from tests.conftest import new_database
from tests.service.safety.on_call import Duty, RememberingChannel
from tests.service.safety.test_raising import respond
from tests.stored import everything

CLINICIAN = ContactRole.CLINICIAN
LAST_UPDATED = re.compile(rb'"lastUpdated":"[^"]+"')
DEAD = {
    "nobody": set[str](),
    "on-call of A": {"a-duty@x.example"},
    "on-call of the programme": {"duty@x.example"},
    "all of the programme": {"duty@x.example", "doctor@x.example"},
}


class Ids:
    """Ids by the name of what is done, so that a row has the same one in both worlds."""

    def __init__(self) -> None:
        self.begin("")

    def begin(self, name: str) -> None:
        self.name, self.more = name, count()

    def __call__(self) -> UUID:
        digest = hashlib.sha256(f"{self.name}:{next(self.more)}".encode()).digest()
        return UUID(bytes=digest[:16])


class TellingChannel(RememberingChannel):
    """Begins the ids of what is recorded of each attempt."""

    def __init__(self, ids: Ids, dead: set[str]) -> None:
        super().__init__(dead=dead)
        self.ids = ids

    def send(self, to, message, key):
        self.ids.begin(f"{to.address} {self.tried.count(to.address)}")
        super().send(to, message, key)


class World:
    """One person, two hospitals, or A alone; whom the worker told, and when."""

    def __init__(self, url: str, dead: set[str], *, alone: bool) -> None:
        self.ids, self.alone = Ids(), alone
        channel = TellingChannel(self.ids, {*dead, "b-1@x.example"})
        self.duty = Duty(url, channel=channel)
        self.times: list[tuple[float, str, str]] = []
        with self.duty.database.engine.begin() as connection:
            key = {"key": b"k" * 32}
            connection.execute(text("UPDATE installation SET identifier_key = :key"), key)

    def __enter__(self):
        self.before, identifiers.uuid7 = identifiers.uuid7, self.ids
        return self

    def __exit__(self, *_):
        identifiers.uuid7 = self.before
        self.duty.database.close()

    def tell(self) -> None:
        self.ids.begin("people")
        person = execute(self.duty.database, CreatePatient(family="Family", given="Given"))
        self.a = self.hospital(person, "A")
        self.contact("a-duty", connection_id=self.a.id)
        self.contact("a-doctor", role=CLINICIAN, connection_id=self.a.id)
        if not self.alone:
            b = self.hospital(person, "B")
            for place in (1, 2, 3):
                self.contact(f"b-{place}", connection_id=b.id, place=place)
        self.contact("duty")
        self.contact("doctor", role=CLINICIAN)
        self.ids.begin("response")
        self.alert = respond(self.duty, person).alert

    def hospital(self, person, name):
        self.ids.begin(name)
        found = world.hospital(self.duty.database, name)
        link = LinkPatient(
            patient_id=person.id, connection_id=found.id, ehr_patient_id=name, mrn=name,
            confirmed_by="t",
        )  # fmt: skip
        consent = RecordConsent(
            patient_id=person.id, connection_id=found.id, category=Category.ALERTS, recorded_by="t"
        )
        for command in (link, consent):
            execute(self.duty.database, command)
        return found

    def contact(self, name, **more):
        self.ids.begin(f"contact {name}")
        self.duty.contact(name, **more)

    def pass_by(self, minutes: int) -> None:
        for _ in range(2 * minutes):
            self.duty.work()
            self.note()
            self.duty.now += timedelta(seconds=30)

    def note(self) -> None:
        minutes = (self.duty.now - self.alert.raised_at) / timedelta(minutes=1)
        for address, message, _ in self.duty.channel.told:
            self.times.append((minutes, address.partition("@")[0], message.reference))
        self.duty.channel.told.clear()

    def do(self, command, **more) -> None:
        self.ids.begin(f"{command.__name__} {self.duty.now}")
        execute(self.duty.database, command(alert_id=self.alert.id, by="Kim", **more))


def told_in(url, dead, *, alone):
    """When who was told, and all that A has in the end."""
    with World(url, DEAD[dead], alone=alone) as told:
        told.tell()
        told.pass_by(25)
        told.do(AcknowledgeAlert)
        told.do(EscalateAlert)
        told.pass_by(10)
        told.do(AcknowledgeAlert)
        told.do(ResolveAlert, disposition="person-reached-safe")
        return told.times, ranked(everything(told.duty.database, told.a.number))


def ranked(found):
    """The same with the times of commits, which PostgreSQL's own clock tells, as their order."""
    commits = sorted({at for *_, at in found["events"]})

    def untimed(one):
        if isinstance(one, bytes):
            content = one if one.startswith(b"{") else zlib.decompress(one)
            return LAST_UPDATED.sub(b"", content)
        return commits.index(one) if one in commits else one

    return {name: {tuple(map(untimed, row)) for row in table} for name, table in found.items()}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def urls(request, tmp_path):
    with ExitStack() as stack:
        folders = [tmp_path / "both", tmp_path / "alone"]
        for each in folders:
            each.mkdir()
        yield [new_database(request.param, request, each, stack) for each in folders]


@pytest.mark.parametrize("dead", DEAD, ids=[name.replace(" ", "-") for name in DEAD])
def test_a_and_the_programme_are_told_at_the_same_times_with_another_hospital(urls, dead):
    times, of_a = told_in(urls[0], dead, alone=False)
    others, alone = told_in(urls[1], dead, alone=True)
    assert [each for each in times if not each[1].startswith("b-")] == others
    assert of_a == alone
    sent = [row[4] for row in of_a["documents"] if row[1] == "Communication"]
    assert len(sent) == len(others)


@pytest.mark.parametrize(
    ("dead", "expected"),
    [
        ("nobody", {"a-duty": 0, "a-doctor": 5, "duty": 0, "doctor": 5}),
        ("on-call of A", {"a-doctor": 1.5, "duty": 0, "doctor": 5}),
        ("on-call of the programme", {"a-duty": 0, "a-doctor": 5, "doctor": 1.5}),
        ("all of the programme", {"a-duty": 0, "a-doctor": 5}),
    ],
)
def test_each_owner_has_its_own_times(sqlite_url, dead, expected):
    times, _ = told_in(sqlite_url, dead, alone=False)
    found = {name: minutes for minutes, name, _ in times}
    assert found == {**expected, "b-2": 1.5, "b-3": 6.5}
    assert len(times) == len(found)


def linked(duty, *hospitals):
    person = world.patient(duty.database)
    for each in hospitals:
        world.link(duty.database, person, each)
        world.consent(duty.database, person, each, [Category.ALERTS])
    return person


def test_nobody_is_left_once_the_time_of_every_owner_is_over(duty):
    hospital = world.hospital(duty.database)
    for name in ("a-1", "a-2"):
        duty.contact(name, connection_id=hospital.id)
    duty.contact("dead")
    duty.channel.dead = {"dead@x.example"}
    alert = respond(duty, linked(duty, hospital)).alert
    for _ in range(19):
        duty.work()
        duty.later(seconds=30)
        assert duty.alert(alert.id).nobody_left_at is None
    duty.later(seconds=30)
    assert duty.alert(alert.id).nobody_left_at == duty.now
    duty.later(hours=1)
    assert duty.told() == ["a-1", "a-2"]
    assert duty.story(alert.id).count("escalated") == 2
    assert duty.story(alert.id).count("nobody-left") == 1


def told_of_two_owners(duty):
    """An alert of which a hospital's contact is told, and the first of the programme's three."""
    hospital = world.hospital(duty.database)
    duty.contact("a-1", connection_id=hospital.id)
    for name in ("1", "2", "3"):
        duty.contact(name, place=int(name))
    alert = respond(duty, linked(duty, hospital)).alert
    duty.work()
    return alert


def test_a_timer_of_a_step_that_was_left_by_hand_does_nothing(duty):
    alert = told_of_two_owners(duty)
    duty.later(minutes=2)
    execute(duty.database, EscalateAlert(alert_id=alert.id, by="Kim"))
    duty.work()
    duty.later(minutes=3)
    assert sorted(duty.told()) == ["1", "2", "a-1"]
    assert duty.story(alert.id).count("escalated") == 1
    duty.later(minutes=2)
    assert sorted(duty.told()) == ["1", "2", "3", "a-1"]


def test_a_timer_that_comes_twice_tells_the_next_once(duty):
    alert = told_of_two_owners(duty)
    duty.now += timedelta(minutes=5)
    for _ in range(2):
        duty.database.unit_of_work(
            lambda session: time_is_up(session, session.get(Alert, alert.id), 1, duty.now),
            patient_aggregate(alert.patient_id),
        )
    duty.work()
    assert sorted(duty.told()) == ["1", "2", "a-1"]
    assert duty.story(alert.id).count("escalated") == 1


def test_a_hospital_that_may_be_told_only_later_comes_with_the_programmes_next(duty):
    hospitals = [world.hospital(duty.database, name) for name in "AB"]
    for each in hospitals:
        duty.contact(each.name, connection_id=each.id)
    duty.contact("1")
    duty.contact("2", place=1)
    person = linked(duty, hospitals[0])
    respond(duty, person)
    duty.work()
    world.link(duty.database, person, hospitals[1])
    world.consent(duty.database, person, hospitals[1], [Category.ALERTS])
    duty.later(minutes=4)
    assert sorted(duty.told()) == ["1", "A"]
    duty.later(minutes=1)
    assert sorted(duty.told()) == ["1", "2", "A", "B"]
