import orjson
import pytest

from service.commands import CreatePlace, UpdateGroup, WithdrawConsent
from service.handlers import execute
from service.models.connections import Confidentiality
from service.models.consents import Category, Decision
from service.models.enrollments import AttendanceMark
from tests import world
from tests.api.fhir_endpoint import BASE, Endpoint


def test_a_read_answers_the_document_with_its_version(endpoint: Endpoint):
    hospital = world.hospital(endpoint.context.database)
    world.linked(endpoint.context.database, hospital)
    patient = endpoint.patient_id(hospital)
    response = endpoint.get(f"Patient/{patient}", hospital)
    body = response.json()
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/fhir+json"
    assert response.headers["etag"] == f'W/"{body["meta"]["versionId"]}"'
    assert response.headers["last-modified"].endswith("GMT")
    assert body["id"] == patient


def test_a_version_that_the_caller_has_is_not_sent_again(endpoint: Endpoint):
    world.linked(endpoint.context.database, hospital := world.hospital(endpoint.context.database))
    path = f"Patient/{endpoint.patient_id(hospital)}"
    etag = endpoint.get(path, hospital).headers["etag"]
    again = endpoint.get(path, hospital, headers={"If-None-Match": etag})
    other = endpoint.get(path, hospital, headers={"If-None-Match": 'W/"77"'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert other.status_code == 200


def test_unknown_foreign_and_secret_ids_are_answered_alike(endpoint: Endpoint):
    database = endpoint.context.database
    a, b = world.hospital(database, "A"), world.hospital(database, "B")
    person = world.linked(database, a)
    world.respond(database, person, world.phq9(3, item9=2), connection_id=a.id)
    patient = endpoint.patient_id(a)
    flag = endpoint.ids("Flag", a)[0]
    low = endpoint.token(a, ceiling=Confidentiality.RESTRICTED)
    answers = [
        endpoint.get(f"Patient/{'0' * 32}", a),
        endpoint.get("Patient/1", a),
        endpoint.get("Patient/a%00b", a),
        endpoint.get(f"Patient/{patient}", b),
        endpoint.get(f"Patient/{flag}", a),
        endpoint.get(f"Patient/{patient}/_history", b),
        endpoint.get(f"Patient/{patient}/_history/1", b),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    hidden = endpoint.get(f"Flag/{flag}", token=low)
    unknown = endpoint.get(f"Flag/{'0' * 32}", token=low)
    assert (hidden.status_code, hidden.content) == (404, unknown.content)
    assert endpoint.ids("Flag", a) == [flag]


def test_a_correction_makes_version_2_and_keeps_version_1(endpoint: Endpoint):
    database = endpoint.context.database
    hospital = world.hospital(database)
    person, group = world.linked(database, hospital), world.group(database)
    world.enroll(database, person, group)
    session = world.session(database, group)
    world.attend(database, session, person)
    (first,) = endpoint.resources("Appointment?status=fulfilled", hospital)
    world.attend(database, session, person, mark=world.AttendanceMark.ABSENT)
    path = f"Appointment/{first['id']}"
    history = endpoint.get(f"{path}/_history", hospital).json()
    versions = [e["resource"]["meta"]["versionId"] for e in history["entry"] if "resource" in e]
    old = first["meta"]["versionId"]
    assert history["type"] == "history"
    assert old in versions
    assert endpoint.get(f"{path}/_history/{old}", hospital).json() == first
    newest = history["entry"][0]
    assert newest["request"]["method"] == "PUT"
    assert newest["response"]["etag"] == f'W/"{int(old) + 1}"'
    assert endpoint.get(f"{path}/_history/99", hospital).status_code == 404
    assert endpoint.get(f"{path}/_history/x", hospital).status_code == 404


def test_history_comes_in_pages(endpoint: Endpoint):
    database = endpoint.context.database
    hospital = world.hospital(database)
    person, group = world.linked(database, hospital), world.group(database)
    world.enroll(database, person, group)
    session = world.session(database, group)
    world.attend(database, session, person)
    (one,) = endpoint.resources("Appointment?status=fulfilled", hospital)
    marks = world.AttendanceMark
    for mark in (marks.ABSENT, marks.PRESENT, marks.ABSENT):
        world.attend(database, session, person, mark=mark)
    path: str | None = f"Appointment/{one['id']}/_history?_count=2"
    whole = endpoint.get(f"Appointment/{one['id']}/_history", hospital).json()["entry"]
    found = []
    while path:
        page = endpoint.get(path, hospital).json()
        found += page["entry"]
        path = {each["relation"]: each["url"] for each in page["link"]}.get("next")
    assert found == whole
    assert len(whole) > 3  # more than one page


def test_an_earlier_version_is_not_shown_once_consent_has_changed(endpoint: Endpoint):
    database = endpoint.context.database
    hospital = world.hospital(database)
    person = world.patient(database)
    world.link(database, person, hospital)
    given = world.consent(database, person, hospital)
    world.respond(database, person, world.phq9(1))
    (total,) = endpoint.resources("Observation?code=44261-6", hospital)
    path = f"Observation/{total['id']}"
    score = given[Category.SCORES]
    execute(database, WithdrawConsent(consent_id=score.id, withdrawn_by="tester"))
    gone = endpoint.get(f"{path}/_history/1", hospital)
    world.consent(database, person, hospital, [Category.SCORES])
    history = endpoint.get(f"{path}/_history", hospital).json()["entry"]
    assert gone.status_code == 404
    assert endpoint.get(f"{path}/_history/1", hospital).status_code == 404
    assert [each["resource"]["meta"]["versionId"] for each in history] == ["3"]


def test_what_was_gone_when_consent_changed_comes_back_without_its_past(endpoint: Endpoint):
    database = endpoint.context.database
    hospital = world.hospital(database)
    person = world.patient(database)
    world.link(database, person, hospital)
    given = world.consent(database, person, hospital)
    circle = world.group(database)
    world.enroll(database, person, circle)
    held = world.session(database, circle)
    world.attend(database, held, person)
    (visit,) = endpoint.ids("Encounter", hospital)
    world.attend(database, held, person, mark=AttendanceMark.ABSENT)
    attendance = given[Category.ATTENDANCE]
    execute(database, WithdrawConsent(consent_id=attendance.id, withdrawn_by="tester"))
    world.consent(database, person, hospital, [Category.ATTENDANCE])
    world.attend(database, held, person)
    path = f"Encounter/{visit}"
    assert endpoint.get(path, hospital).status_code == 200
    assert endpoint.get(f"{path}/_history/1", hospital).status_code == 404
    history = endpoint.get(f"{path}/_history", hospital).json()["entry"]
    assert "1" not in {each["response"]["etag"].strip('W/"') for each in history}


def test_what_is_taken_away_seals_the_past_of_what_stays_as_it_is(endpoint: Endpoint):
    """The place was told with the group's name; it had left the Encounter before the name went."""
    database = endpoint.context.database
    hospital, person = world.hospital(database), world.patient(database)
    world.link(database, person, hospital)
    world.consent(database, person, hospital, [Category.ENROLLMENT, Category.ATTENDANCE])
    named = world.consent(database, person, hospital, [Category.ENROLLMENT], shows_group_name=True)
    place = execute(database, CreatePlace(name="Community hall"))
    circle = world.group(database, place_id=place.id)
    world.enroll(database, person, circle)
    world.attend(database, world.session(database, circle), person)
    (visit,) = endpoint.ids("Encounter", hospital)
    execute(database, UpdateGroup(group_id=circle.id, place_id=None))
    assert "location" in endpoint.get(f"Encounter/{visit}/_history/1", hospital).json()
    withdrawn = named[Category.ENROLLMENT]
    execute(database, WithdrawConsent(consent_id=withdrawn.id, withdrawn_by="tester"))
    assert endpoint.get(f"Encounter/{visit}", hospital).status_code == 200
    assert endpoint.get(f"Encounter/{visit}/_history/1", hospital).status_code == 404


def test_the_audit_row_of_a_roster_names_its_members(endpoint: Endpoint):
    database = endpoint.context.database
    hospital = world.hospital(database)
    circle, people = world.group(database), [world.linked(database, hospital) for _ in range(2)]
    for person in people:
        world.enroll(database, person, circle)
    (roster,) = endpoint.ids("Group", hospital)
    expected = sorted(person.id.hex for person in people)
    assert orjson.loads(endpoint.audited()[3]) == expected
    endpoint.get(f"Group/{roster}", hospital)
    assert orjson.loads(endpoint.audited()[3]) == expected


def test_what_one_hospital_may_have_seals_nothing_of_another(endpoint: Endpoint):
    database = endpoint.context.database
    first, second = world.hospital(database), world.hospital(database, "B")
    person = world.linked(database, first, second)
    circle = world.group(database)
    world.enroll(database, person, circle)
    held = world.session(database, circle)
    world.attend(database, held, person)
    (visit,) = endpoint.ids("Encounter", first)
    world.attend(database, held, person, mark=AttendanceMark.ABSENT)
    world.consent(database, person, second, [Category.ATTENDANCE], decision=Decision.DENY)
    world.attend(database, held, person)
    history = endpoint.get(f"Encounter/{visit}/_history", first).json()["entry"]
    assert [each["response"]["etag"] for each in history] == ['W/"3"', 'W/"2"', 'W/"1"']


def test_a_read_without_a_token_is_refused(endpoint: Endpoint):
    answer = endpoint.client.get(f"{BASE}/Patient/1")
    assert answer.status_code == 401
    assert answer.json()["issue"][0]["code"] == "login"


def test_a_read_outside_the_scopes_is_forbidden(endpoint: Endpoint):
    token = endpoint.token(scope="system/Patient.s")
    answer = endpoint.get("Patient/1", token=token)
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (403, "forbidden")
    assert endpoint.get("Patient", token=token).status_code == 200


def test_a_roster_takes_the_roster_role(endpoint: Endpoint):
    token = endpoint.token(roster_role=False)
    assert endpoint.get("Group", token=token).status_code == 403
    assert endpoint.get("Group").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "Nothing", 404),
        ("GET", "Nothing/1", 404),
        ("GET", "Patient/1/2/3", 404),
        ("GET", "Patient/1/Group", 404),
        ("GET", "Organization/1/Patient", 404),
        ("GET", "Nothing/_history", 404),
        ("POST", "Patient/1", 405),
        ("PUT", "_history", 405),
        ("DELETE", "Patient/1/_history", 405),
    ],
)
def test_what_is_not_offered_is_said_so(endpoint: Endpoint, method: str, path: str, status: int):
    answer = endpoint.request(method, f"{BASE}/{path}".rstrip("/"))
    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert ("allow" in answer.headers) is (status == 405)


def test_only_json_is_answered(endpoint: Endpoint):
    xml = {"Accept": "application/fhir+xml"}
    assert endpoint.get("Patient", headers=xml).status_code == 406
    assert endpoint.get("Patient?_format=xml").status_code == 406
    assert endpoint.get("Patient/1", headers=xml).status_code == 406
    assert endpoint.get("metadata", headers=xml).status_code == 406
    assert endpoint.get("Patient?_format=json", headers=xml).status_code == 200
    assert endpoint.get("Patient?_format=application/fhir%2Bjson").status_code == 200


def test_the_capability_statement_needs_no_token_and_names_what_is_served(endpoint: Endpoint):
    answer = endpoint.client.get(f"{BASE}/metadata")
    body = answer.json()
    rest = body["rest"][0]
    served = {each["type"]: each for each in rest["resource"]}
    assert (body["fhirVersion"], body["kind"]) == ("4.0.1", "instance")
    assert set(served) == {*endpoint.context.registry.by_type, "AuditEvent"}
    writable = [name for name, each in served.items() if {"code": "create"} in each["interaction"]]
    assert "QuestionnaireResponse" in writable
    assert "Flag" not in writable
    assert endpoint.context.settings.crisis_text in rest["documentation"]


def test_the_audit_row_names_the_patients_of_the_answer(endpoint: Endpoint):
    database = endpoint.context.database
    hospital = world.hospital(database)
    people = [world.linked(database, hospital) for _ in range(2)]
    keys = sorted(person.id.hex for person in people)
    found = endpoint.ids("Patient", hospital)
    assert endpoint.audited() == ("GET", "/fhir/Patient", 200, orjson.dumps(keys).decode())
    endpoint.get(f"Patient/{found[0]}", hospital)
    method, path, status, patients = endpoint.audited()
    assert (method, path, status) == ("GET", f"/fhir/Patient/{found[0]}", 200)
    assert orjson.loads(patients) in ([keys[0]], [keys[1]])
    endpoint.get("Questionnaire", hospital)
    assert endpoint.audited()[3] is None
