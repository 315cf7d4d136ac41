"""Who is told, until when they have, and what happens when nobody answers; each move is kept."""

from datetime import timedelta

import pytest
from sqlmodel import select

from service.commands import (
    AcknowledgeAlert,
    EscalateAlert,
    LiftRestriction,
    ResolveAlert,
    RestrictProcessing,
    UndoLink,
    UpdateContact,
    WithdrawConsent,
)
from service.errors import BusinessRuleError, ValueSetError, VersionError
from service.handlers import execute
from service.models.consents import Category
from service.models.outbox import OutboxMessage
from service.models.safety import ContactRole
from service.models.screening import AlertState
from service.notifying import LEASE
from service.outbox import Claim, claim
from service.safety.overdue import waiting
from service.safety.telling import TELL
from service.safety.transitions import TABLE, Move, allowed
from tests import world
from tests.service.safety.test_raising import respond
from tests.stored import rows

CLINICIAN = ContactRole.CLINICIAN


def raised(duty, person=None, **more):
    return respond(duty, person or world.patient(duty.database), **more).alert


def acknowledge(duty, alert, **more):
    return execute(duty.database, AcknowledgeAlert(alert_id=alert.id, by="Kim", **more))


def resolve(duty, alert, disposition="person-reached-safe"):
    command = ResolveAlert(alert_id=alert.id, by="Kim", disposition=disposition)
    return execute(duty.database, command)


def test_on_call_is_told_at_once_and_nothing_of_the_person(duty):
    duty.contact("duty")
    alert = raised(duty)
    duty.work()
    ((_, text, key),) = duty.channel.told
    assert duty.alert(alert.id).state is AlertState.NOTIFIED
    assert text.reference == str(alert.id) in text.link
    assert "Family" not in repr(text)
    assert "44260" not in repr(text)
    assert len(key) == 36
    assert duty.story(alert.id) == ["raised", "stepped-up", "addressed", "told"]


def test_nobody_acknowledges_so_the_next_is_told_once(duty):
    for place, name in enumerate(("first", "second")):
        duty.contact(name, place=place)
    alert = raised(duty)
    duty.work()
    duty.later(minutes=4, seconds=59)
    assert duty.told() == ["first"]
    duty.later(seconds=1)
    assert duty.told() == ["first", "second"]
    assert duty.alert(alert.id).state is AlertState.ESCALATED
    duty.later(minutes=1)
    assert duty.told() == ["first", "second"]
    duty.later(minutes=4)
    found = duty.alert(alert.id)
    assert found.nobody_left_at == duty.now
    assert duty.story(alert.id)[-2:] == ["escalated", "nobody-left"]
    duty.later(hours=9)
    assert duty.told() == ["first", "second"]
    assert not duty.database.read(lambda session: session.exec(select(OutboxMessage)).all())


def test_who_acknowledges_stops_it_and_only_a_person_resolves(duty):
    duty.contact("first")
    duty.contact("second", place=1)
    alert = raised(duty)
    duty.work()
    found = acknowledge(duty, alert)
    assert (found.acknowledged_by, found.acknowledged_at) == ("Kim", duty.now)
    duty.later(days=2)
    assert duty.told() == ["first"]
    assert duty.alert(alert.id).state is AlertState.ACKNOWLEDGED
    with pytest.raises(ValueSetError, match="person-reached-safe"):
        resolve(duty, alert, "because")
    found = resolve(duty, alert)
    assert (found.state, found.disposition) == (AlertState.RESOLVED, "person-reached-safe")


def test_a_move_that_is_not_allowed_names_those_that_are(duty):
    alert = raised(duty)
    with pytest.raises(BusinessRuleError, match="allows: acknowledge, escalate; not resolve"):
        resolve(duty, alert)
    acknowledge(duty, alert)
    with pytest.raises(BusinessRuleError, match="allows: escalate, resolve; not acknowledge"):
        acknowledge(duty, alert)
    resolve(duty, alert)
    with pytest.raises(BusinessRuleError, match="allows: nothing"):
        execute(duty.database, EscalateAlert(alert_id=alert.id, by="Kim"))
    with pytest.raises(VersionError):
        acknowledge(duty, alert, if_match=1)


def test_no_move_of_the_service_leads_to_an_end():
    ends = {(state, move) for state in TABLE for move in TABLE[state]
            if TABLE[state][move] is AlertState.RESOLVED}  # fmt: skip
    assert ends == {(AlertState.ACKNOWLEDGED, Move.RESOLVE)}
    assert set(TABLE) == set(AlertState)
    assert allowed(AlertState.RESOLVED) == []


def test_a_person_hands_an_alert_on(duty):
    duty.contact("first")
    duty.contact("second", place=1)
    alert = raised(duty)
    acknowledge(duty, alert)
    execute(duty.database, EscalateAlert(alert_id=alert.id, by="Kim"))
    duty.work()
    assert sorted(duty.told()) == ["first", "second"]
    assert duty.alert(alert.id).state is AlertState.ESCALATED
    assert duty.alert(alert.id).acknowledged_by is None


def test_who_cannot_be_reached_is_tried_four_times_and_then_the_next_is_told(duty):
    duty.contact("dead")
    duty.contact("live", place=1)
    duty.channel.dead = {"dead@x.example"}
    alert = raised(duty)
    duty.work()
    for _ in range(3):
        assert duty.told() == []
        duty.later(seconds=30)
    assert duty.channel.tried.count("dead@x.example") == 4
    assert duty.told() == ["live"]
    story = duty.story(alert.id)
    assert story[2:7] == ["addressed", "not-told", "not-told", "not-told", "given-up"]
    assert story[7:] == ["escalated", "addressed", "told"]


def test_an_alert_without_contacts_is_seen_as_such(duty):
    alert = raised(duty)
    assert duty.alert(alert.id).nobody_left_at == duty.now
    found = duty.database.read(lambda session: waiting(session, duty.now))
    assert (found.unresolved, found.overdue, found.unreached) == (1, 1, 1)


def test_it_survives_that_a_worker_dies_with_what_it_claimed(duty):
    duty.contact("first")
    raised(duty)
    wanted = Claim(kinds=(TELL,), limit=9, lease=LEASE)
    claimed = duty.database.unit_of_work(lambda session: claim(session, wanted, duty.now))
    assert len(claimed) == 1  # and its worker dies
    duty.later(seconds=14)
    assert duty.told() == []
    duty.later(seconds=1)
    assert duty.told() == ["first"]


def test_amber_is_for_the_clinician_first_then_on_call(tiered):
    group = world.group(tiered.database)
    for name, more in (
        ("everybodys", {}),
        ("groups", {"group_id": group.id}),
        ("other-groups", {"group_id": world.group(tiered.database).id}),
    ):
        tiered.contact(f"{name}-doctor", CLINICIAN, **more)
        tiered.contact(f"{name}-duty", **more)
    person = world.patient(tiered.database)
    world.enroll(tiered.database, person, group)
    raised(tiered, person, group_id=group.id)
    tiered.work()
    for _ in range(5):
        tiered.later(hours=1)
    assert tiered.told() == [
        "groups-doctor", "everybodys-doctor", "groups-duty", "everybodys-duty",
    ]  # fmt: skip


def test_hospitals_are_told_by_consent_at_once_and_never_of_anothers_response(duty):
    hospitals = {name: world.hospital(duty.database, name) for name in "ABC"}
    for name, hospital in hospitals.items():
        duty.contact(name, connection_id=hospital.id)
    duty.contact("duty")
    person = world.patient(duty.database)
    for name in "AB":
        world.link(duty.database, person, hospitals[name])
        world.consent(duty.database, person, hospitals[name], [Category.ALERTS])
    world.link(duty.database, person, hospitals["C"])  # without a consent
    raised(duty, person)
    duty.work()
    assert sorted(duty.told()) == ["A", "B", "duty"]
    duty.later(minutes=5)
    duty.channel.told.clear()
    sent = duty.now - timedelta(hours=2)
    raised(duty, person, connection_id=hospitals["C"].id, received=b"{}", authored=sent)
    duty.work()
    duty.later(minutes=5)
    assert sorted(duty.told()) == ["C", "duty"]


def test_a_consent_that_was_withdrawn_meanwhile_stops_the_message(duty):
    hospital = world.hospital(duty.database)
    duty.contact("A", connection_id=hospital.id)
    person = world.patient(duty.database)
    world.link(duty.database, person, hospital)
    given = world.consent(duty.database, person, hospital, [Category.ALERTS])
    raised(duty, person)
    withdrawn = WithdrawConsent(consent_id=given[Category.ALERTS].id, withdrawn_by="t")
    execute(duty.database, withdrawn)
    duty.work()
    assert duty.told() == []


def of_its_own(duty):
    """A hospital's own response, with its contact and the programme's."""
    hospital = world.hospital(duty.database)
    duty.contact("A", connection_id=hospital.id)
    duty.contact("duty")
    person = world.patient(duty.database)
    link = world.link(duty.database, person, hospital)
    alert = raised(duty, person, connection_id=hospital.id, received=b"{}")
    return hospital, person, link, alert


def test_a_link_that_was_undone_stops_the_message_of_a_response_of_its_own_too(duty):
    _, _, link, _ = of_its_own(duty)
    undo = UndoLink(link_id=link.id, undone_by="t", reason="the wrong person")
    execute(duty.database, undo)
    duty.work()
    assert duty.told() == ["duty"]
    duty.later(minutes=5)
    assert duty.told() == ["duty"]


def test_of_who_is_restricted_only_the_programme_is_told(duty):
    hospital, person, _, _ = of_its_own(duty)
    command = RestrictProcessing(patient_id=person.id, reason="disputed", restricted_by="officer")
    row = execute(duty.database, command)
    duty.work()
    assert duty.told() == ["duty"]
    sent = duty.now - timedelta(hours=2)
    later = raised(duty, person, connection_id=hospital.id, received=b"{}", authored=sent)
    duty.work()
    assert duty.told() == ["duty", "duty"]
    execute(duty.database, LiftRestriction(restriction_id=row.id, lifted_by="officer"))
    execute(duty.database, EscalateAlert(alert_id=later.id, by="Kim"))
    duty.work()
    assert duty.told() == ["duty", "duty", "A"]


def test_a_message_to_a_hospital_names_the_alert_as_no_other_hospital_knows_it(duty):
    hospitals = {name: world.hospital(duty.database, name) for name in "AB"}
    person = world.linked(duty.database, *hospitals.values())
    for name, hospital in hospitals.items():
        duty.contact(name, connection_id=hospital.id)
    alert = raised(duty, person)
    duty.work()
    texts = {address[0]: text for address, text, _ in duty.channel.told}
    assert texts["A"].reference != texts["B"].reference
    for name, hospital in hospitals.items():
        tasks = f"SELECT id FROM documents WHERE type = 'Task' AND audience = {hospital.number}"
        assert (texts[name].reference,) in rows(duty.database, tasks)
        assert texts[name].link is None
        assert str(alert.id) not in repr(texts[name])
        assert alert.id.hex not in repr(texts[name])


def test_who_is_off_duty_is_told_only_where_nobody_else_is_left(duty):
    today = duty.now.weekday()
    never = [{"days": [(today + 3) % 7], "from": "00:00", "until": "24:00"}]
    duty.contact("off", hours=never)
    duty.contact("on", place=1)
    raised(duty)
    duty.work()
    assert duty.told() == ["on"]
    duty.later(minutes=5)
    assert duty.told() == ["on", "off"]


def test_a_contact_that_is_not_active_is_told_nothing(duty):
    contact = duty.contact("first")
    execute(duty.database, UpdateContact(contact_id=contact.id, active=False))
    alert = raised(duty)
    assert duty.alert(alert.id).nobody_left_at is not None
