"""Progress and what is due, from plans that a group sets to numbers and pictures."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from service.commands import CorrectResponse, MeasurementPlan, UpdateSession
from service.handlers import execute
from service.instruments import instrument
from service.models.groups import SessionStatus
from service.models.screening import Response, ResponseStatus
from service.progress.worsening import worsened_reliably
from service.redisclosure import NOTICE
from tests import world
from tests.api.v1.programme import everything, rules

DAY = timedelta(days=1)
PLAN = {"instrument": "phq-9", "every_weeks": 2}


@pytest.fixture
def scene(api):
    """A person who joined a group that measures, thirty days ago."""
    group = world.group(
        api.database,
        measurement=(MeasurementPlan(instrument="phq-9", every_weeks=2),),
    )
    person = world.patient(api.database)
    joined = world.now() - 30 * DAY
    world.enroll(api.database, person, group, start=joined)
    return group, person, joined


def answer(api, person, at, total, **more):
    """A PHQ-9 whose answers come to this total, which is at most 24."""
    answers = {link: min(3, max(0, total - 3 * n)) for n, link in enumerate(world.PHQ9[:-1])}
    answers |= {world.PHQ9[-1]: 0, **more.pop("answers", {})}
    body = {"instrument": "phq-9", "answers": answers, "authored": at.isoformat(), **more}
    made = api.post(f"/v1/patients/{person.id}/responses", body)
    assert made.status_code == 201, made.text
    return made.json()


def progress(api, person, query=""):
    return everything(api, f"/v1/patients/{person.id}/progress{query}")


def test_a_series_has_its_baseline_its_differences_and_each_rule(api, scene):
    _, person, joined = scene
    for day, total in ((-20, 22), (0, 18), (14, 12), (28, 4)):
        answer(api, person, joined + day * DAY, total)
    (found,) = progress(api, person)
    assert [p["value"] for p in found["points"]] == [22, 18, 12, 4]
    assert [p["from_baseline"] for p in found["points"]] == [None, None, -6, -14]
    assert [p["from_last"] for p in found["points"]] == [None, -4, -6, -8]
    assert found["baseline_rule"] == "enrollment"
    assert (found["baseline"]["value"], found["baseline"]["band"]) == (18, "moderately severe")
    results = {each["rule"]: each["result"] for each in found["findings"]}
    assert results["response-50-percent"] == results["remission-below-5"] == "met"
    assert {each["confirmed"] for each in found["findings"]} == {True, False}
    assert all(each["source"] and each["says"] for each in found["findings"])
    assert found["asked"] == {"due": 3, "answered": 3, "overdue": 0, "missed": 0}


def test_what_is_missing_stands_beside_the_score(api, scene):
    _, person, joined = scene
    answer(api, person, joined, 18)
    answer(api, person, joined + 29 * DAY, 9, answers={}, status="in-progress")
    partly = answer(api, person, joined + 28 * DAY, 9)
    answers = dict.fromkeys(world.PHQ9[:4], 1)
    api.put(f"/v1/responses/{partly['id']}", {"answers": answers})
    (found,) = progress(api, person)
    assert found["not_scorable"] == 1
    assert [p["value"] for p in found["points"]] == [18, None]
    assert found["last"]["value"] == 18
    assert found["findings"] == []
    assert found["asked"] == {"due": 3, "answered": 2, "overdue": 0, "missed": 1}


def test_an_amended_response_counts_as_amended_and_one_in_error_not_at_all(api, scene):
    _, person, joined = scene
    first = answer(api, person, joined, 18)
    last = answer(api, person, joined + 20 * DAY, 6)
    answers = dict.fromkeys(world.PHQ9[:-1], 1) | {world.PHQ9[-1]: 0}
    api.put(f"/v1/responses/{last['id']}", {"answers": answers})
    (found,) = progress(api, person)
    assert [p["value"] for p in found["points"]] == [18, 8]
    wrong = {"answers": first["answers"], "status": "entered-in-error"}
    assert api.put(f"/v1/responses/{first['id']}", wrong).status_code == 200
    (found,) = progress(api, person)
    assert [p["value"] for p in found["points"]] == [8]
    assert found["baseline"]["value"] == 8


def test_since_leaves_points_out_and_the_baseline_as_it_is(api, scene):
    _, person, joined = scene
    answer(api, person, joined, 18)
    answer(api, person, joined + 20 * DAY, 6)
    since = (joined + DAY).strftime("%Y-%m-%dT%H:%M:%SZ")
    (found,) = progress(api, person, f"?instrument=phq-9&since={since}")
    assert [p["value"] for p in found["points"]] == [6]
    assert found["baseline"]["value"] == 18
    assert found["last"]["from_baseline"] == -12


def test_who_was_never_a_member_is_counted_from_the_first_response(sqlite_api):
    person = world.patient(sqlite_api.database)
    assert progress(sqlite_api, person) == []
    answer(sqlite_api, person, world.now() - 90 * DAY, 12)
    (found,) = progress(sqlite_api, person)
    assert (found["baseline_rule"], found["baseline"]["value"]) == ("first", 12)
    assert (found["asked"], found["findings"]) == (None, [])
    (gse,) = progress(sqlite_api, person, "?instrument=gse")
    assert gse["without_rule"] == ["response", "remission", "important", "reliable"]


def test_what_is_due_is_listed_by_person_and_by_group(api, scene):
    group, person, joined = scene
    other = world.patient(api.database)
    world.enroll(api.database, other, group, start=joined)
    answer(api, person, joined, 18)
    answer(api, person, joined + 28 * DAY, 9)
    assert everything(api, f"/v1/patients/{person.id}/due") == []
    (due,) = everything(api, f"/v1/groups/{group.id}/due")
    assert (due["patient_id"], due["state"], due["kind"]) == (str(other.id), "due", "follow-up")
    missed = everything(api, f"/v1/groups/{group.id}/due?state=missed")
    assert [each["patient_id"] for each in missed].count(str(other.id)) == 2
    done = everything(api, f"/v1/patients/{person.id}/due?state=answered")
    assert [each["kind"] for each in done] == ["baseline", "follow-up"]
    assert str(other.id).replace("-", "") in api.audited()[-3]


def test_who_left_owes_nothing(api, scene):
    group, person, _ = scene
    (enrolled,) = everything(api, f"/v1/groups/{group.id}/enrollments")
    finish = {"status": "finished", "reason": "Moved away"}
    assert api.patch(f"/v1/enrollments/{enrolled['id']}", finish).status_code == 200
    assert everything(api, f"/v1/patients/{person.id}/due") == []
    (cancelled,) = everything(api, f"/v1/patients/{person.id}/due?state=cancelled")
    assert cancelled["kind"] == "follow-up"


def test_sessions_that_were_held_make_it_due(sqlite_api):
    database = sqlite_api.database
    plan = MeasurementPlan(instrument="gad-7", baseline=False, every_sessions=2)
    group = world.group(database, measurement=(plan,))
    person = world.patient(database)
    world.enroll(database, person, group)
    for days in (21, 14, 7):
        held = world.session(database, group, world.now() - days * DAY)
        command = UpdateSession(session_id=held.id, status=SessionStatus.HELD)
        execute(database, command)
    found = everything(sqlite_api, f"/v1/patients/{person.id}/due")
    assert [(each["instrument"], each["state"]) for each in found] == [("gad-7", "overdue")]


def test_a_guest_is_asked_for_nothing(sqlite_api):
    database = sqlite_api.database
    group = world.group(database, measurement=(MeasurementPlan(instrument="phq-9"),))
    person, held = world.patient(database), world.session(database, group)
    body = {"patient_id": str(person.id), "mark": "present", "recorded_by": "Sam Ortiz"}
    made = sqlite_api.post(f"/v1/sessions/{held.id}/walk-ins", body)
    assert made.status_code == 200, made.text
    assert everything(sqlite_api, f"/v1/groups/{group.id}/due") == []


def test_a_group_sets_its_plans_and_a_wrong_one_is_refused(sqlite_api):
    group = world.group(sqlite_api.database)
    address = f"/v1/groups/{group.id}"
    set_ = sqlite_api.patch(address, {"measurement": [PLAN]})
    assert set_.status_code == 200, set_.text
    (plan,) = set_.json()["measurement"]
    assert plan == sqlite_api.get(address).json()["measurement"][0]
    assert (plan["every_weeks"], plan["baseline"], plan["overdue_days"]) == (2, True, 7)
    for wrong in (
        [{"instrument": "pcl-5"}],
        [PLAN, PLAN],
        [{**PLAN, "every_sessions": 2}],
        [{**PLAN, "every_weeks": 99}],
        [{"instrument": "phq-9", "baseline": False}],
    ):
        answered = sqlite_api.patch(address, {"measurement": wrong})
        assert answered.status_code in {400, 422}
        assert "measurement" in rules(answered)
    assert sqlite_api.patch(address, {"measurement": [{**PLAN, "often": 1}]}).status_code == 422
    refused = sqlite_api.patch(address, {"instruments": ["gad-7"]})
    assert "measurement" in rules(refused)
    assert sqlite_api.patch(address, {"measurement": []}).json()["measurement"] == []


def test_the_chart_is_a_drawing_and_a_picture_that_name_nobody(api, scene):
    group, person, joined = scene
    world.attend(api.database, world.session(api.database, group), person)
    answer(api, person, joined, 18)
    answer(api, person, joined + 20 * DAY, 6)
    address = f"/v1/patients/{person.id}/progress"
    drawn = api.get(f"{address}.svg?instrument=phq-9")
    assert drawn.headers["content-type"].startswith("image/svg+xml")
    assert "default-src 'none'" in drawn.headers["content-security-policy"]
    assert drawn.headers["cache-control"] == "no-store"
    assert "present" in drawn.text
    for name in (person.family, group.public_name, group.neutral_name, str(person.id)):
        assert name not in drawn.text
    picture = api.get(f"{address}.png?instrument=phq-9&score=total")
    assert picture.headers["content-type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG")
    assert person.id.hex in api.audited()[-1]


def test_a_chart_of_protected_records_says_so(api, scene):
    _, person, _ = scene
    address = f"/v1/patients/{person.id}/progress.svg"
    nothing = {item.link_id: 0 for item in instrument("audit-c").items}
    assert NOTICE not in api.get(f"{address}?instrument=phq-9").text
    world.respond(api.database, person, nothing, instrument="audit-c")
    assert api.get(f"{address}?instrument=audit-c").text.count(NOTICE) == 2  # drawn, and in words
    protected = world.group(api.database, part2=True)
    world.enroll(api.database, person, protected)
    assert NOTICE in api.get(f"{address}?instrument=phq-9").text


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("progress?instrument=phq-8", "instrument"),
        ("progress?since=yesterday", "since"),
        ("progress.svg?instrument=phq-8", "instrument"),
        ("progress.svg", "instrument"),
        ("progress.png?instrument=phq-9&score=mood", "score"),
        ("due?state=late", "state"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_name(sqlite_api, path, field):
    person = world.patient(sqlite_api.database)
    answered = sqlite_api.get(f"/v1/patients/{person.id}/{path}")
    assert answered.status_code in {400, 422}
    assert field in rules(answered)


def test_nobody_has_no_progress(sqlite_api):
    for path in ("progress", "progress.svg?instrument=phq-9", "due"):
        assert sqlite_api.get(f"/v1/patients/{uuid4()}/{path}").status_code == 404
    assert sqlite_api.get(f"/v1/groups/{uuid4()}/due").status_code == 404


def test_who_is_reliably_worse_is_told_by_each_response(api, scene):
    _, person, joined = scene
    made = [answer(api, person, joined + d * DAY, t)["id"] for d, t in ((0, 10), (9, 15), (20, 16))]

    def worse(number):
        def work(session):
            row = session.get(Response, UUID(made[number]))
            return worsened_reliably(session, row, world.now())

        return api.database.read(work)

    assert worse(0) == worse(1) == ()
    assert worse(2) == ("phq-9/reliable-6-points",)
    execute(
        api.database,
        CorrectResponse(
            response_id=UUID(made[2]), answers=world.phq9(2), corrected_by="tester",
            status=ResponseStatus.ENTERED_IN_ERROR,
        ),
    )  # fmt: skip
    assert worse(2) == ()
