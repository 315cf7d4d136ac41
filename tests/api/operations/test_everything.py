"""Patient/[id]/$everything."""

import time

import orjson
import pytest

from service.fhir.store_reader import HORIZON_SECONDS
from service.models.connections import Confidentiality
from tests import world
from tests.api.fhir_endpoint import BASE
from tests.api.operations.conftest import next_of, refused, types_of
from tests.api.sent import reference

STRICT = {"Prefer": "handling=strict"}
PLACE = {"status": "active", "description": "Room 4"}


def path(scene, query=""):
    return f"Patient/{scene.id}/$everything{query}"


def test_the_patient_comes_first_then_what_is_about_the_patient(scene):
    found = types_of(scene.endpoint.get(path(scene), scene.a))
    assert found[0] == "Patient"
    assert found.count("Patient") == 1
    wanted = {"Appointment", "Consent", "Encounter", "EpisodeOfCare", "Flag", "Observation"}
    assert wanted < set(found)
    assert "Organization" in found


def test_get_and_post_answer_alike(scene):
    got = scene.endpoint.get(path(scene, "?_type=Observation,Patient"), scene.a).json()
    posted = scene.parameters(path(scene), ("_type", "Code", "Observation,Patient")).json()
    assert got["entry"] == posted["entry"]
    assert scene.endpoint.request("POST", path(scene), scene.a).status_code == 200


def test_every_resource_is_there_once_over_its_pages(scene):
    whole = scene.endpoint.get(path(scene), scene.a).json()["entry"]
    found, url = [], path(scene, "?_count=3")
    while url:
        answer = scene.endpoint.get(url, scene.a)
        assert 0 < len(answer.json()["entry"]) <= 3
        found += answer.json()["entry"]
        url = next_of(answer)
    assert found == whole


def test_a_page_link_is_good_for_its_own_client_alone(scene):
    link = next_of(scene.endpoint.get(path(scene, "?_count=1"), scene.a))
    other = scene.endpoint.token(scene.a, "system/*.rs")
    assert refused(scene.endpoint.get(link, token=other), 400, "invalid")


def test_a_group_is_never_part_of_it(scene):
    assert scene.endpoint.ids("Group", scene.a)
    patient = {"reference": f"Patient/{scene.id}"}
    group = scene.sender.send("Group", type="person", actual=True, member=[{"entity": patient}])
    scene.sender.about("List", status="current", mode="working", entry=[{"item": reference(group)}])
    assert "Group" not in types_of(scene.endpoint.get(path(scene), scene.a))
    assert refused(scene.endpoint.get(path(scene, "?_type=Group"), scene.a), 400, "invalid")


def test_only_types_that_the_token_may_read_come(scene):
    token = scene.endpoint.token(scene.a, "system/Patient.r system/Observation.r")
    assert set(types_of(scene.endpoint.get(path(scene), token=token))) == {"Patient", "Observation"}
    named = scene.endpoint.get(path(scene, "?_type=Flag"), token=token)
    assert refused(named, 403, "forbidden")
    searching = scene.endpoint.token(scene.a, "system/*.s")
    assert refused(scene.endpoint.get(path(scene), token=searching), 403, "forbidden")


def test_nobody_gets_it_without_a_token_or_from_another_hospital(scene):
    assert refused(scene.endpoint.client.get(f"{BASE}/{path(scene)}"), 401, "login")
    assert refused(scene.endpoint.get(path(scene), scene.b), 404, "not-found")
    assert refused(scene.endpoint.get("Patient/none/$everything", scene.a), 404, "not-found")


def test_nothing_above_the_ceiling_comes(scene):
    token = scene.endpoint.token(scene.a, ceiling=Confidentiality.RESTRICTED)
    found = types_of(scene.endpoint.get(path(scene), token=token))
    assert "Flag" not in found
    assert "Observation" in found
    low = scene.endpoint.token(scene.a, ceiling=Confidentiality.NORMAL)
    assert refused(scene.endpoint.get(path(scene), token=low), 404, "not-found")


def test_the_dates_of_care_bound_it_and_a_birth_does_not(scene):
    old = scene.sender.observation(effectiveDateTime="2020-05-01")
    undated = scene.sender.about("Observation", status="final", code={"text": "Note"})

    def ids(query):
        entries = scene.endpoint.get(path(scene, query), scene.a).json()["entry"]
        return {e["resource"]["id"] for e in entries}

    assert old["id"] in ids("?start=2020-05-01&end=2020-05-01")
    assert old["id"] not in ids("?start=2020-05-02")
    assert old["id"] not in ids("?end=2020-04")
    for query in ("?start=2020-05-02", "?end=2020-04"):
        assert {scene.id, undated["id"]} <= ids(query)


def test_since_takes_what_changed_from_then_on(scene):
    assert len(types_of(scene.endpoint.get(path(scene, "?_since=2020-01-01T00:00:00Z"), scene.a)))
    later = scene.endpoint.get(path(scene, "?_since=2999-01-01T00:00:00Z"), scene.a)
    assert types_of(later) == []
    stamp = scene.sender.observation()["meta"]["lastUpdated"]
    time.sleep(2 * HORIZON_SECONDS)  # what is bound by time waits for writers still at work
    assert types_of(scene.endpoint.get(path(scene, f"?_since={stamp}"), scene.a)) == ["Observation"]


def test_who_took_part_comes_along_and_passes_the_filter_by_itself(scene):
    room = scene.sender.send("Location", **PLACE)
    scene.sender.encounter(location=[{"location": reference(room)}])
    answer = scene.endpoint.get(path(scene), scene.a).json()
    (entry,) = [e for e in answer["entry"] if e["resource"]["id"] == room["id"]]
    assert entry["search"]["mode"] == "include"
    token = scene.endpoint.token(scene.a, "system/Patient.r system/Encounter.r")
    assert "Location" not in types_of(scene.endpoint.get(path(scene), token=token))
    only = scene.endpoint.get(path(scene, "?_type=Location"), scene.a)
    assert set(types_of(only)) == {"Location"}


@pytest.mark.parametrize(
    "query",
    ["?start=gt2020", "?end=x", "?_since=", "?_count=0", "?_count=x", "?_type=Nix", "?_type=,",
     "?start=2020&start=2021", "?_cursor=AAAA"],
)  # fmt: skip
def test_a_wrong_value_is_refused_by_name(scene, query):
    assert refused(scene.endpoint.get(path(scene, query), scene.a), 400, "invalid")


def test_an_unknown_parameter_is_named_or_refused(scene):
    answer = scene.endpoint.get(path(scene, "?colour=red"), scene.a).json()
    assert answer["entry"][-1]["resource"]["issue"][0]["code"] == "not-supported"
    strict = scene.endpoint.get(path(scene, "?colour=red"), scene.a, headers=STRICT)
    assert refused(strict, 400, "not-supported")


def test_it_is_offered_on_one_patient_only(scene):
    assert refused(scene.endpoint.get("Patient/$everything", scene.a), 405, "not-supported")
    assert refused(scene.endpoint.get("$everything", scene.a), 405, "not-supported")
    url = f"Encounter/{scene.id}/$everything"
    assert refused(scene.endpoint.get(url, scene.a), 405, "not-supported")


def test_the_audit_row_names_the_patient(scene):
    scene.endpoint.get(path(scene), scene.a)
    assert orjson.loads(scene.endpoint.audited()[3]) == [scene.person.id.hex]


def test_another_patient_of_the_hospital_is_not_in_it(scene):
    other = world.linked(scene.endpoint.context.database, scene.a)
    world.respond(scene.endpoint.context.database, other)
    body = scene.endpoint.get(path(scene), scene.a).text
    (theirs,) = set(scene.endpoint.ids("Patient", scene.a)) - {scene.id}
    assert theirs not in body
