"""Who may replace what, under which id, and of which version it was made."""

import pytest

from service.models.connections import Confidentiality
from tests import world
from tests.api.clients import V3, Client, condition, observation, refused
from tests.api.fhir_endpoint import BASE

CHOSEN = "ehr.Cond-0001"


def test_an_update_makes_the_next_version(sender: Client):
    patient = sender.patient()
    first = sender.made(observation(patient))
    path = f"Observation/{first['id']}"
    answer = sender.put(observation(patient, id=first["id"], status="amended"))
    assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"2"')
    assert answer.headers["location"] == f"{BASE}/{path}/_history/2"
    assert sender.get(path).content == answer.content
    assert sender.get(f"{path}/_history/1").json() == first
    assert sender.ids("Observation?status=final") == []
    assert sender.ids("Observation?status=amended") == [first["id"]]


def test_an_update_that_says_nothing_new_makes_no_version(sender: Client):
    first = sender.made(observation(sender.patient()))
    answer = sender.put({**first, "meta": {"versionId": "7"}})
    assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"1"')


def test_an_update_is_made_of_the_version_that_its_client_saw(sender: Client):
    first = sender.made(observation(sender.patient()))
    second = {**first, "status": "amended"}
    assert sender.put(second, If_Match='W/"1"').status_code == 200
    issue = refused(sender.put(first, If_Match='W/"1"'), 412, "conflict", "If-Match")
    assert issue["diagnostics"] == "the current version is 2"
    assert sender.put(first, If_Match='W/"1", W/"2"').headers["etag"] == 'W/"3"'
    assert sender.put(second, If_Match="*").headers["etag"] == 'W/"4"'
    refused(sender.put(second, If_Match="4"), 400, "invalid", "If-Match")


@pytest.mark.parametrize("scope", ["system/Condition.crds", "system/Observation.u", "system/*.rs"])
def test_an_update_takes_its_scope(sender: Client, scope: str):
    made = sender.made(condition(sender.patient()))
    refused(sender.limited(scope).put({**made, "recordedDate": "2026-01-02"}), 403, "forbidden")
    assert sender.limited("system/Condition.u").put(made).status_code == 200
    assert sender.endpoint.client.put(f"{BASE}/Condition/{made['id']}").status_code == 401


def test_an_update_names_the_id_of_its_address(sender: Client):
    made = sender.made(condition(sender.patient()))
    path, body = f"Condition/{made['id']}", {k: v for k, v in made.items() if k != "id"}
    refused(sender.put(body, path), 400, "invalid", "Condition.id")
    refused(sender.put({**body, "id": "other"}, path), 400, "invalid", "Condition.id")
    refused(sender.put(made, f"Observation/{made['id']}"), 400, "invalid", "resourceType")


def test_what_is_anothers_is_as_if_it_were_not(sender: Client, stranger: Client):
    made = sender.made({"resourceType": "Location", "name": "Ward"})
    foreign = stranger.put(made)
    unknown = stranger.put({**made, "id": "0" * 32})
    assert refused(foreign, 404, "not-found") == refused(unknown, 404, "not-found")
    assert sender.get(f"Location/{made['id']}").json() == made


def test_what_the_programme_made_is_its_own(sender: Client):
    database, hospital = sender.endpoint.context.database, sender.connection
    someone = world.linked(database, hospital)
    circle = world.group(database)
    world.enroll(database, someone, circle)
    world.attend(database, world.session(database, circle), someone)
    world.respond(database, someone)
    for kind in ("Encounter", "EpisodeOfCare", "Observation", "Consent", "Group", "Organization"):
        theirs = sender.resources(kind)[0]
        path = f"{kind}/{theirs['id']}"
        for answer in (sender.put(theirs), sender.patch(path), sender.delete(path)):
            assert "`programme`" in refused(answer, 403, "forbidden")["diagnostics"], kind


def test_a_client_may_choose_an_id(sender: Client):
    body = condition(sender.patient(), id=CHOSEN)
    made = sender.put(body)
    assert (made.status_code, made.headers["etag"]) == (201, 'W/"1"')
    assert made.headers["location"] == f"{BASE}/Condition/{CHOSEN}/_history/1"
    assert made.json()["id"] == CHOSEN
    again = sender.put({**body, "recordedDate": "2026-01-02"})
    assert (again.status_code, again.headers["etag"]) == (200, 'W/"2"')
    assert sender.get(f"Condition/{CHOSEN}").content == again.content
    assert sender.ids(f"Condition?_id={CHOSEN}") == [CHOSEN]
    reason = {"reasonReference": [{"reference": f"Condition/{CHOSEN}"}]}
    request = {"resourceType": "ServiceRequest", "status": "active", "intent": "order"}
    referring = sender.made({**request, "subject": body["subject"], **reason})
    assert referring["reasonReference"] == reason["reasonReference"]
    bundle = sender.get("Condition").json()
    assert bundle["entry"][0]["fullUrl"] == f"{BASE}/Condition/{CHOSEN}"


def test_one_chosen_id_is_two_documents_at_two_hospitals(sender: Client, stranger: Client):
    for client in (sender, stranger):
        body = condition(client.patient(), id="twin", code={"text": client.connection.name})
        assert client.put(body).status_code == 201
    texts = [one.get("Condition/twin").json()["code"]["text"] for one in (sender, stranger)]
    assert texts == [sender.connection.name, stranger.connection.name]
    assert sender.delete("Condition/twin").status_code == 204
    assert stranger.get("Condition/twin").status_code == 200


def test_an_id_of_our_own_form_is_not_chosen(sender: Client):
    refused(sender.put(condition(sender.patient(), id="0123456789abcdef" * 2)), 404, "not-found")


@pytest.mark.parametrize("shown", ["a_b", "x" * 65, "a%20b", "a%00"])
def test_what_is_no_id_is_not_found(sender: Client, shown: str):
    answer = sender.put({**condition(sender.patient()), "id": shown}, f"Condition/{shown}")
    assert answer.status_code in {400, 404}, answer.text


def test_a_document_is_not_reached_under_the_id_it_is_stored_by(sender: Client):
    made = sender.put(condition(sender.patient(), id="stored")).json()
    database = sender.endpoint.context.database
    with database.engine.connect() as connection:
        sql = "SELECT id FROM documents WHERE chosen_id = 'stored' AND audience = "
        number = sender.connection.number
        (stored,) = connection.exec_driver_sql(f"{sql}{number}").scalars()
    path = f"Condition/{stored}"
    for answer in (sender.get(path), sender.put({**made, "id": stored}), sender.delete(path)):
        refused(answer, 404, "not-found")
    assert sender.get("Condition/stored").headers["etag"] == 'W/"1"'


def test_making_by_update_takes_the_scope_of_an_update_alone(sender: Client):  # IG 123
    body = condition(sender.patient(), id="both")
    refused(sender.limited("system/Condition.crds").put(body), 403, "forbidden")
    assert sender.limited("system/Condition.u").put(body).status_code == 201


def test_an_update_that_would_make_something_is_of_no_version(sender: Client):
    body = condition(sender.patient(), id="versioned")
    for tag in ('W/"1"', "*"):
        refused(sender.put(body, If_Match=tag), 412, "conflict", "If-Match")


def test_patients_and_responses_are_not_made_by_an_update(sender: Client):
    refused(sender.put({"resourceType": "Patient", "id": "mine"}), 404, "not-found")


def test_a_hidden_document_is_not_made_again(sender: Client):
    secret = {"meta": {"security": [{"system": V3, "code": "V"}]}}
    body = {"resourceType": "Location", "id": "hidden", "name": "Ward"}
    assert sender.put({**body, **secret}).status_code == 201
    plain = sender.limited(ceiling=Confidentiality.NORMAL)
    refused(plain.put(body), 404, "not-found")
    refused(plain.delete("Location/hidden"), 404, "not-found")


def test_a_document_stays_with_its_patient(sender: Client):
    made = sender.made(condition(sender.patient()))
    other = condition(sender.patient(), id=made["id"])
    refused(sender.put(other), 422, "business-rule", "Condition.subject")


def test_the_references_of_an_update_are_checked(sender: Client):
    made = sender.made(observation(sender.patient()))
    wrong = {**made, "encounter": {"reference": "Encounter/none"}}
    refused(sender.put(wrong), 400, "not-found", "Observation.encounter")


def test_what_was_deleted_comes_back_by_an_update(sender: Client):
    patient = sender.patient()
    for body in (condition(patient, id="phoenix"), sender.made(condition(patient))):
        sender.put(body)
        path = f"Condition/{body['id']}"
        assert sender.delete(path).status_code == 204
        refused(sender.get(path), 410, "deleted")
        back = sender.put(body)
        assert (back.status_code, back.headers["etag"]) == (201, 'W/"3"')
        assert sender.get(path).content == back.content
        history = sender.get(f"{path}/_history").json()["entry"]
        assert [one["request"]["method"] for one in history][:2] == ["PUT", "DELETE"]
