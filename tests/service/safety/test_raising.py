"""Alerts: raised with each response, once for what is sent twice, and closed by no machine."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select

from service import safety
from service.commands import CorrectResponse, MergePatients, RecordResponse, ReportDanger
from service.errors import BusinessRuleError, RequiredError, ValueSetError
from service.handlers import execute
from service.instruments import instrument
from service.models.groups import GroupStatus
from service.models.screening import Alert, AlertState, ResponseStatus
from service.safety.policy import Trigger, preset
from tests import world
from tests.service.safety.on_call import START

ITEM_9 = world.PHQ9[-1]
AUTHORED = START - timedelta(hours=1)


def respond(duty, person, item9=1, **more):
    values = {"authored": AUTHORED, "answers": {ITEM_9: item9}, **more}
    answers, authored = values.pop("answers"), values.pop("authored")
    command = RecordResponse(
        patient_id=person.id, instrument="phq-9", answers=answers, authored=authored, **values
    )
    return execute(duty.database, command)


def correct(duty, response, item9, **more):
    command = CorrectResponse(
        response_id=response.id, answers={ITEM_9: item9}, corrected_by="t", **more
    )
    return execute(duty.database, command)


def alerts(duty):
    return duty.database.read(lambda session: session.exec(select(Alert)).all())


@pytest.mark.parametrize("status", ["in-progress", "completed", "stopped", "amended"])
def test_a_partial_response_raises_an_alert_too(duty, status):
    found = respond(duty, world.patient(duty.database), status=ResponseStatus(status)).alert
    assert (found.tier, found.priority, found.rule) == ("red", "stat", "phq-9 /44260-8")


def test_a_response_in_error_raises_none(duty):
    person = world.patient(duty.database)
    assert respond(duty, person, status=ResponseStatus.ENTERED_IN_ERROR).alert is None


def test_what_was_not_answered_is_not_zero():
    phq9, policy = instrument("phq-9"), preset("cobalt-strict")
    assert safety.unknown(policy, phq9, {}) == [ITEM_9]
    assert safety.unknown(policy, phq9, {ITEM_9: 0}) == []
    assert safety.unknown(policy, instrument("gad-7"), {}) == []


def test_what_is_sent_twice_is_one_alert(duty):
    person = world.patient(duty.database)
    first, second = respond(duty, person).alert, respond(duty, person).alert
    assert first.id == second.id
    assert len(alerts(duty)) == 1
    assert duty.story(first.id).count("repeated") == 1


def test_another_moment_is_another_alert(duty):
    person = world.patient(duty.database)
    respond(duty, person)
    respond(duty, person, authored=AUTHORED + timedelta(seconds=1))
    assert len(alerts(duty)) == 2


def test_what_two_hospitals_send_is_an_alert_of_each(duty):
    a, b = world.hospital(duty.database, "A"), world.hospital(duty.database, "B")
    person = world.linked(duty.database, a, b)
    of_a = respond(duty, person, connection_id=a.id, received=b"{}").alert
    of_b = respond(duty, person, connection_id=b.id, received=b"{}").alert
    assert of_a.id != of_b.id
    assert {of_a.connection_id, of_b.connection_id} == {a.id, b.id}


def test_a_lower_answer_does_not_close_an_alert(duty):
    person = world.patient(duty.database)
    recorded = respond(duty, person)
    assert correct(duty, recorded.response, 0).alert.id == recorded.alert.id
    assert [each.state for each in alerts(duty)] == [AlertState.OPEN]


def test_an_amendment_that_is_worse_raises_the_tier_and_tells_anew(tiered):
    policy = preset("tiers")
    worse = Trigger(
        instrument="phq-9", link_id=ITEM_9, minimum_score=3, tier="red", source="made up"
    )
    tiered.database.info[safety.POLICY] = replace(policy, triggers=(*policy.triggers, worse))
    tiered.contact("duty")
    recorded = respond(tiered, world.patient(tiered.database))
    tiered.work()
    assert (recorded.alert.tier, tiered.told()) == ("amber", ["duty"])
    assert correct(tiered, recorded.response, 2).alert.tier == "amber"
    tiered.later(seconds=1)
    found = correct(tiered, recorded.response, 3).alert
    tiered.work()
    assert (found.tier, found.priority) == ("red", "stat")
    assert tiered.told() == ["duty", "duty"]
    assert "worsened" in tiered.story(found.id)
    assert correct(tiered, recorded.response, 0).alert.tier == "red"


def test_a_response_that_becomes_positive_raises_one(duty):
    person = world.patient(duty.database)
    recorded = respond(duty, person, 0)
    assert recorded.alert is None
    assert correct(duty, recorded.response, 1).alert is not None


def test_a_merged_persons_alerts_are_the_survivors(duty):
    one, other = world.patient(duty.database), world.patient(duty.database)
    raised = respond(duty, one).alert
    merge = MergePatients(source_id=one.id, target_id=other.id, merged_by="t", reason="r")
    execute(duty.database, merge)
    assert duty.alert(raised.id).patient_id == other.id
    assert respond(duty, other).alert.id == raised.id


def test_somebody_reports_a_danger(duty):
    person, group = world.patient(duty.database), world.group(duty.database)
    world.enroll(duty.database, person, group)
    report = ReportDanger(
        patient_id=person.id, kind="imminent-danger", reported_by="Kim", group_id=group.id
    )
    found = execute(duty.database, report)
    assert (found.tier, found.response_id, found.rule) == ("red", None, "report imminent-danger")
    with pytest.raises(ValueSetError):
        execute(duty.database, replace(report, kind="other"))
    with pytest.raises(BusinessRuleError):
        execute(duty.database, replace(report, group_id=world.group(duty.database).id))


def watched(duty):
    """The tiers of the alerts of somebody's becoming worse."""
    return [each.tier for each in alerts(duty) if each.rule == "phq-9 worsened-reliably"]


def test_becoming_reliably_worse_is_watched(duty):
    person, before = world.patient(duty.database), AUTHORED - timedelta(days=14)
    respond(duty, person, answers=world.phq9(1), authored=before)
    within = {**world.phq9(1), **dict.fromkeys(world.PHQ9[:2], 3)}
    respond(duty, person, answers=within)  # 4 points: within the error
    assert alerts(duty) == []
    later = AUTHORED + timedelta(minutes=5)
    recorded = respond(duty, person, answers=world.phq9(2), authored=later)
    (found,) = alerts(duty)
    assert (found.tier, found.rule) == ("watch", "phq-9 worsened-reliably")
    assert (recorded.alert, found.crisis_resources) == (None, None)  # who sent it sees no crisis
    assert correct(duty, recorded.response, 1).alert.tier == "red"


def test_becoming_worse_by_a_correction_is_watched(duty):
    person, before = world.patient(duty.database), AUTHORED - timedelta(days=14)
    respond(duty, person, answers=world.phq9(1), authored=before)
    recorded = respond(duty, person, answers=world.phq9(1))
    command = CorrectResponse(
        response_id=recorded.response.id, answers=world.phq9(2), corrected_by="t"
    )
    execute(duty.database, command)
    execute(duty.database, replace(command, answers=world.phq9(3)))
    assert watched(duty) == ["watch"]


def test_only_what_the_same_sender_recorded_makes_somebody_worse(duty):
    person, before = world.patient(duty.database), AUTHORED - timedelta(days=14)
    one, other = (world.hospital(duty.database, name) for name in ("One", "Other"))
    respond(duty, person, answers=world.phq9(0), authored=before, connection_id=other.id)
    worse = {"answers": world.phq9(2)}
    respond(duty, person, **worse, connection_id=one.id)
    respond(duty, person, **worse)  # recorded by the programme
    assert watched(duty) == []
    for _ in range(2):  # it is sent twice
        respond(duty, person, **worse, connection_id=other.id)
    assert watched(duty) == ["watch"]


def test_a_hospitals_alert_does_not_tell_when_the_person_joined(duty):
    person, group = world.patient(duty.database), world.group(duty.database)
    one, day = world.hospital(duty.database), timedelta(days=1)
    world.enroll(duty.database, person, group, start=AUTHORED - 20 * day)
    for days, score in ((40, 0), (10, 2)):  # the first is before the person joined
        moment = AUTHORED - days * day
        answers = world.phq9(score)
        respond(duty, person, answers=answers, authored=moment, connection_id=one.id)
    assert watched(duty) == ["watch"]


def test_a_group_is_active_only_where_somebody_is_on_call_at_every_hour(duty):
    duty.database.info[safety.ON_CALL] = "required"
    with pytest.raises(RequiredError, match="on call") as caught:
        world.group(duty.database)
    assert caught.value.element == "status"
    group = world.group(duty.database, status=GroupStatus.DRAFT)
    day = [{"days": [0, 1, 2, 3, 4, 5, 6], "from": "08:00", "until": "20:00"}]
    night = [
        {"days": [0, 1, 2, 3, 4, 5, 6], "from": "20:00", "until": "24:00"},
        {"days": [0, 1, 2, 3, 4, 5, 6], "from": "00:00", "until": "08:00"},
    ]
    duty.contact("day", hours=day, time_zone="Europe/Berlin")
    with pytest.raises(RequiredError, match="nobody is on"):
        world.group(duty.database)
    duty.contact("night", hours=night, time_zone="Europe/Berlin")
    assert world.group(duty.database).status is GroupStatus.ACTIVE
    assert group.status is GroupStatus.DRAFT
