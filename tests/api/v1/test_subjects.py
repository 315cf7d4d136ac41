"""What a person asks for about their data, over `/v1` and at a shell."""

import io
import zipfile
from base64 import b64decode
from datetime import timedelta
from html.parser import HTMLParser

import orjson
import pytest

from tests import world
from tests.api.v1.programme import everything, open_api
from tests.service.subjects.scene import CANARIES, FAMILY, PHONE, holding, scene

RULES = '[[rule]]\nkinds = ["*"]\nyears = 0\nfrom = "last-contact"\nsource = "ours"\n'


@pytest.fixture
def api(database_url, tmp_path):
    """With a rule that lets everything go."""
    file = tmp_path / "retention.toml"
    file.write_text(RULES)
    with open_api(database_url, tmp_path, retention_file=str(file)) as opened:
        yield opened


class Page(HTMLParser):
    """What a page has: tags with their attributes, and text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


def test_an_export_has_everything_of_the_person_and_nobody_else(api):
    here = scene(api.database)
    answer = api.get(f"/v1/patients/{here.person.id}/export")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert api.get(f"/v1/patients/{here.retired.id}/export").status_code == 200
    files = zipfile.ZipFile(io.BytesIO(answer.content))
    names = files.namelist()
    assert {"README.txt", "record.html", "fhir/1-the-programme.json", "fhir/2-a.json"} <= set(names)
    page = files.read("record.html").decode()
    for word in (FAMILY, PHONE, "Little interest", "absent", "witnesscanary", "sentcanary"):
        assert word in page, word
    other = (here.other.family, here.other.id.hex, str(here.other.id))
    for name in names:
        content = files.read(name).decode()
        assert [word for word in other if word in content] == [], name
    bundle = orjson.loads(files.read("fhir/1-the-programme.json"))
    versions = [
        (each["fullUrl"], each["resource"]["meta"]["versionId"]) for each in bundle["entry"]
    ]
    assert len(versions) == len(set(versions))
    types = {each["resource"]["resourceType"] for each in bundle["entry"]}
    assert types >= {"Patient", "Consent", "EpisodeOfCare", "Encounter", "QuestionnaireResponse"}
    assert "Group" not in types
    if api.audit_file.exists():
        assert {here.person.id.hex, here.retired.id.hex} <= set(api.audited()[0])


def test_the_page_can_be_read_printed_and_needs_nothing_else(sqlite_api):
    person = world.patient(sqlite_api.database, family="<b>Rivera</b>")
    answer = sqlite_api.get(f"/v1/patients/{person.id}/export?format=html")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page = Page()
    page.feed(answer.text)
    tags = [tag for tag, _ in page.tags]
    assert page.tags[0] == ("html", {"lang": "en"})
    assert tags.count("h1") == tags.count("main") == tags.count("title") == 1
    assert not {"script", "link", "img", "b", "iframe"} & set(tags)
    assert "@media print" in answer.text
    ids = {given["id"] for _, given in page.tags if "id" in given}
    anchors = {given["href"][1:] for tag, given in page.tags if tag == "a"}
    assert anchors <= ids
    for _, given in page.tags:
        assert given.get("aria-labelledby", next(iter(ids))) in ids
    bundle = sqlite_api.get(f"/v1/patients/{person.id}/export?format=fhir").json()
    assert [each["resource"]["type"] for each in bundle["entry"]] == ["collection"]
    assert sqlite_api.get(f"/v1/patients/{person.id}/export?format=pdf").status_code == 422


def test_an_export_tells_which_hospital_received_what(api):
    hospital, silent = world.hospital(api.database, "A"), world.hospital(api.database, "B")
    person = world.linked(api.database, hospital, silent)
    other = world.linked(api.database, hospital)
    token = api.new_token("ehr-a", "system/*.rs", hospital)
    entries = api.get("/fhir/Patient?_count=50", token=token).json()["entry"]
    ids = {each["resource"]["id"] for each in entries}
    for one in ids:
        assert api.get(f"/fhir/Patient/{one}", token=token).status_code == 200
    answer = api.get(f"/v1/patients/{person.id}/export")
    files = zipfile.ZipFile(io.BytesIO(answer.content))
    page = files.read("record.html").decode()
    for word in ("Who received what</a> (2)", "ehr-a", "/fhir/Patient/{id}", "TREAT"):
        assert word in page, word
    (name,) = [each for each in files.namelist() if each.endswith("who-received-what.json")]
    events = [each["resource"] for each in orjson.loads(files.read(name))["entry"]]
    assert [each["resourceType"] for each in events] == ["AuditEvent"] * 2
    people = [
        each["what"]["reference"]
        for event in events
        for each in event["entity"]
        if each["type"]["code"] == "1"
    ]
    assert len(people) == 2
    assert len(set(people)) == 1
    asked = [each["query"] for event in events for each in event["entity"] if "query" in each]
    assert not [each for each in asked if b"_count=50" in b64decode(each)]  # about others, too
    theirs = api.get(f"/v1/patients/{other.id}/export?format=html").text
    mine = {one for one in ids if one in str(events)}
    assert len(mine) == 1
    assert mine.pop() not in theirs
    assert "Who received what</a> (0)" not in theirs


def test_a_restriction_is_seen_lifted_and_listed(api):
    person = world.patient(api.database)
    address = f"/v1/patients/{person.id}"
    until = (world.now() + timedelta(days=3)).isoformat()
    made = api.post(f"{address}/restrictions", {"reason": "disputed", "until": until})
    assert made.status_code == 201, made.text
    assert api.get(address).json()["restricted"] is True
    assert api.post(f"{address}/restrictions", {"reason": "again"}).status_code == 409
    answers = dict.fromkeys(world.PHQ9, 0)
    response = {"instrument": "phq-9", "answers": answers, "authored": world.now().isoformat()}
    refused = api.post(f"{address}/responses", response)
    assert (refused.status_code, "restricted" in refused.text) == (409, True)
    where = f"/v1/restrictions/{made.json()['id']}"
    lifted = api.post(f"{where}/lift", {}, headers={"If-Match": '"1"'})
    assert (lifted.status_code, lifted.json()["lifted_by"]) == (200, "programme")
    assert api.post(f"{where}/lift", {}).status_code == 422
    assert api.get(where).json() == lifted.json()
    assert everything(api, f"{address}/restrictions") == [lifted.json()]
    assert api.get(address).json()["restricted"] is False


def test_a_request_for_correction_goes_its_way(api):
    person = world.patient(api.database)
    address = f"/v1/patients/{person.id}/corrections"
    made = api.post(address, {"about": "My street is wrong", "asked_by": "the person"})
    assert (made.status_code, made.json()["state"]) == (201, "open")
    one = f"/v1/corrections/{made.json()['id']}"
    for early in ("tell", "disagree"):
        body = {"statement": "No"} if early == "disagree" else {}
        assert api.post(f"{one}/{early}", body).status_code == 422
    decision = {"accepted": False, "decision": "It is as she registered it"}
    assert api.post(f"{one}/decide", decision).json()["state"] == "refused"
    assert api.post(f"{one}/decide", decision).status_code == 422
    assert api.post(f"{one}/disagree", {"statement": "I moved"}).status_code == 200
    told = api.post(f"{one}/tell", {"told_by": "Sam"}).json()
    assert (told["told_by"], told["disagreement"]) == ("Sam", "I moved")
    assert everything(api, address) == [api.get(one).json()] == [told]


def test_an_erasure_is_planned_done_and_remembered(api):
    here = scene(api.database)
    key = {"Idempotency-Key": "erased-later"}
    body = {"family": "Somebody", "given": "Else"}
    assert api.post("/v1/patients", body, headers=key).status_code == 201
    address = f"/v1/patients/{here.person.id}/erasure"
    plan = api.get(address).json()
    assert {each["is_erased"] for each in plan["parts"]} == {True}
    wrong = api.put(address, {"digest": "0" * 32, "basis": "request"})
    assert wrong.status_code == 409
    done = api.put(address, {"digest": plan["digest"], "basis": "request", "erased_by": "Sam"})
    assert done.status_code == 200, done.text
    assert (done.json()["patient_id"], done.json()["kept"]) == (None, [])
    assert everything(api, "/v1/erasures") == [done.json()]
    assert api.get(f"/v1/erasures/{done.json()['id']}").json() == done.json()
    assert api.get(address).status_code == 404
    assert api.get(f"/v1/patients/{here.person.id}").status_code == 404
    again = api.post("/v1/patients", body, headers=key)
    assert (again.status_code, "was deleted" in again.text) == (409, True)
    assert holding(api.database, CANARIES) == set()
