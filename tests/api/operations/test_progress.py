"""Patient/[id]/$progress: made of what the caller may read, and of nothing else."""

from datetime import timedelta

import pytest

from fhir_mappings.structure import validate
from service.commands import RecordResponse
from service.handlers import execute
from service.instruments import instrument
from service.models.connections import Confidentiality
from service.models.consents import Category
from service.models.screening import ResponseStatus
from service.progress.reading import progress_of
from tests import world
from tests.api.operations.conftest import refused

DAY = timedelta(days=1)
STRICT = {"Prefer": "handling=strict"}
SCOPES = "system/Patient.r system/Observation.r"


def record(database, person, days_ago, total, **more):
    answers = {link: min(3, max(0, total - 3 * n)) for n, link in enumerate(world.PHQ9[:-1])}
    answers |= {world.PHQ9[-1]: 0}
    values = {"instrument": "phq-9", "answers": answers, **more}
    at = world.now() - days_ago * DAY
    return execute(database, RecordResponse(patient_id=person.id, authored=at, **values)).response


@pytest.fixture
def measured(scene):
    """Who joined thirty days ago, was at 18 a year ago, at 21 then, and is at 6."""
    for days, total in ((365, 18), (29, 21), (1, 6)):
        record(scene.endpoint.context.database, scene.person, days, total)
    return scene


def ask(scene, query="", caller=None, **more):
    return scene.endpoint.get(f"Patient/{scene.id}/$progress{query}", caller or scene.a, **more)


def read(answer):
    """Parameters as a dict: parts nested, and lists for what may stand often."""
    assert answer.status_code == 200, answer.text
    assert validate(answer.json()) == []
    return [_part(each) for each in answer.json().get("parameter", [])]


def _part(each):
    if "part" in each:
        return each["name"], [_part(one) for one in each["part"]]
    (value,) = [v for k, v in each.items() if k.startswith("value")]
    return each["name"], value


def scores(answer):
    return [
        {
            "values": [dict(v).get("value") for n, v in parts if n == "point"],
            "results": {dict(v)["rule"]: dict(v)["result"] for n, v in parts if n == "finding"},
            **{n: v for n, v in parts if n not in {"point", "finding"}},
        }
        for name, parts in read(answer)
        if name == "score"
    ]


def attended(answer):
    return [dict(parts)["mark"] for name, parts in read(answer) if name == "attended"]


def test_scores_stand_in_the_order_of_time_with_each_rule(measured):
    answer = ask(measured)
    method, path, status, patients = measured.endpoint.audited()
    assert (method, path, status) == ("GET", f"/fhir/Patient/{measured.id}/$progress", 200)
    assert measured.person.id.hex in patients
    (found,) = scores(answer)
    assert found["values"] == [18, 21, 6, 17]
    assert (found["baseline-rule"], found["direction"]) == ("enrollment", "worse")
    baseline = measured.endpoint.get(found["baseline"]["reference"], measured.a).json()
    assert baseline["valueQuantity"]["value"] == 21
    assert found["results"]["reliable-6-points"] == "not-met"
    assert found["results"]["response-50-percent"] == "not-met"
    assert attended(answer) == ["present"]


def test_it_says_what_the_programme_is_told(measured):
    database = measured.endpoint.context.database
    now = measured.endpoint.context.clock()
    (own,) = database.read(lambda session: progress_of(session, measured.person.id, now))
    (found,) = scores(ask(measured))
    assert found["values"] == [int(each.value) for each in own.points]
    assert found["results"] == {each.rule.id: each.result.value for each in own.findings}
    programme = measured.endpoint.patient_id()
    (again,) = scores(measured.endpoint.get(f"Patient/{programme}/$progress"))
    assert (again["values"], again["results"]) == (found["values"], found["results"])


def test_get_and_post_answer_alike(measured):
    got = ask(measured, "?questionnaire=http://loinc.org/q/44249-1").json()
    path = f"Patient/{measured.id}/$progress"
    posted = measured.parameters(path, ("questionnaire", "Canonical", "http://loinc.org/q/44249-1"))
    assert got == posted.json()
    assert scores(ask(measured, "?questionnaire=http://loinc.org/q/69737-5")) == []


def test_since_leaves_out_points_and_visits_and_keeps_the_baseline(measured):
    since = (world.now() - 10 * DAY).date().isoformat()
    (found,) = scores(ask(measured, f"?since={since}"))
    (whole,) = scores(ask(measured))
    assert found["values"] == [6, 17]
    assert found["baseline"] == whole["baseline"]


def test_what_is_in_progress_or_in_error_does_not_count(scene):
    database = scene.endpoint.context.database
    for status in (ResponseStatus.IN_PROGRESS, ResponseStatus.ENTERED_IN_ERROR):
        record(database, scene.person, 1, 6, status=status)
    (found,) = scores(ask(scene))
    assert found["values"] == [17]
    assert found["results"] == {}


def test_a_token_without_encounters_or_episodes_is_told_nothing_of_them(measured):
    token = measured.endpoint.token(measured.a, SCOPES)
    answer = ask(measured, token=token)
    assert attended(answer) == []
    (found,) = scores(answer)
    assert found["baseline-rule"] == "first"
    assert read(ask(measured, token=measured.endpoint.token(measured.a, "system/Patient.r"))) == []


@pytest.mark.parametrize(
    ("categories", "has"),
    [
        ((Category.SCORES,), (1, 0, "first")),
        ((Category.SCORES, Category.ENROLLMENT), (1, 0, "enrollment")),
        ((Category.SCORES, Category.ATTENDANCE), (1, 1, "first")),
        ((Category.ENROLLMENT, Category.ATTENDANCE), (0, 1, None)),
    ],
)
def test_a_hospital_has_what_its_consents_permit(measured, categories, has):
    database = measured.endpoint.context.database
    world.link(database, measured.person, measured.b)
    world.consent(database, measured.person, measured.b, categories)
    theirs = measured.endpoint.patient_id(measured.b)
    answer = measured.endpoint.get(f"Patient/{theirs}/$progress", measured.b)
    found = scores(answer)
    rule = found[0]["baseline-rule"] if found else None
    assert (len(found), len(attended(answer)), rule) == has
    assert refused(ask(measured, caller=measured.b), 404, "not-found")


def test_what_another_hospital_sent_changes_nothing(measured):
    before = ask(measured).content
    database = measured.endpoint.context.database
    world.link(database, measured.person, measured.b)
    world.consent(database, measured.person, measured.b)
    record(database, measured.person, 20, 24, connection_id=measured.b.id)
    assert ask(measured).content == before
    theirs = measured.endpoint.patient_id(measured.b)
    (found,) = scores(measured.endpoint.get(f"Patient/{theirs}/$progress", measured.b))
    assert 24 in found["values"]


def test_a_hospitals_own_observations_are_not_scores_of_ours(measured):
    before = ask(measured).content
    code = {"coding": [{"system": "http://loinc.org", "code": "44261-6"}]}
    measured.sender.about(
        "Observation", status="final", code=code, effectiveDateTime="2026-03-01",
        valueQuantity={"value": 27},
    )  # fmt: skip
    assert ask(measured).content == before


def test_what_lies_above_the_ceiling_is_not_there(measured):
    low = measured.endpoint.token(measured.a, ceiling=Confidentiality.NORMAL)
    assert refused(ask(measured, token=low), 404, "not-found")


def test_a_score_that_could_not_be_made_is_counted(scene):
    database = scene.endpoint.context.database
    record(database, scene.person, 1, 6, answers=dict.fromkeys(world.PHQ9[:3], 1),
           status=ResponseStatus.STOPPED)  # fmt: skip
    (found,) = scores(ask(scene))
    assert (found["values"], found["not-scorable"]) == ([None, 17], 1)


def test_a_category_is_told_by_its_rank(scene):
    database = scene.endpoint.context.database
    form = instrument("c-ssrs-screener")
    record(database, scene.person, 1, 0, instrument="c-ssrs-screener",
           answers={each.link_id: 0 for each in form.items})  # fmt: skip
    found = scores(ask(scene, f"?questionnaire={form.url}"))
    assert [each["values"] for each in found] == [[0]]


def test_it_is_labelled_as_what_it_is_made_of(measured):
    def codes():
        meta = ask(measured).json()["meta"]
        return {each["code"] for each in meta["security"]}, "extension" in meta

    labels, notice = codes()
    assert (labels >= {"R", "PSY"}, notice) == (True, False)
    form, database = instrument("audit-c"), measured.endpoint.context.database
    world.consent(database, measured.person, measured.a, covers_part2=True)
    record(database, measured.person, 1, 0, instrument="audit-c",
           answers={each.link_id: 0 for each in form.items})  # fmt: skip
    labels, notice = codes()
    assert ("42CFRPart2" in labels, notice) == (True, True)


def test_wrong_parameters_are_refused_by_name(scene):
    assert refused(ask(scene, "?questionnaire=http://example.org/none"), 400, "code-invalid")
    assert refused(ask(scene, "?since=yesterday"), 400, "invalid")
    assert refused(ask(scene, "?most=1", headers=STRICT), 400, "not-supported")
    assert refused(scene.endpoint.get("Patient/$progress", scene.a), 405, "not-supported")


def test_who_has_no_score_has_none(scene):
    database = scene.endpoint.context.database
    other = world.linked(database, scene.b)
    theirs = scene.endpoint.patient_id(scene.b)
    assert other
    answer = scene.endpoint.get(f"Patient/{theirs}/$progress", scene.b)
    assert answer.json() == {"resourceType": "Parameters"}
