"""Groups, facilitators, places, connections and instruments."""

from uuid import uuid4

from api.routes.v1.group_schemas import NewGroup
from service.instruments import load_instruments
from tests import world
from tests.api.v1.programme import BASE, everything, rules

GROUP = NewGroup.example() | {"place_id": None, "facilitator_id": None}


def test_a_group_is_created_read_and_listed(api):
    created = api.post("/v1/groups", GROUP)
    assert created.status_code == 201
    group = created.json()
    assert created.headers["location"] == f"{BASE}/v1/groups/{group['id']}"
    assert created.headers["etag"] == 'W/"1"'
    read = api.get(f"/v1/groups/{group['id']}")
    assert read.json() == group
    assert group["instruments"] == ["phq-9", "gad-7"]
    assert everything(api, "/v1/groups?status=active") == [group]
    assert everything(api, "/v1/groups?status=closed") == []


def test_a_patch_changes_what_it_names_and_raises_the_version(api):
    group = api.post("/v1/groups", GROUP).json()
    changed = api.patch(f"/v1/groups/{group['id']}", {"capacity": 20, "place_id": None})
    assert changed.headers["etag"] == 'W/"2"'
    assert changed.json() == group | {"capacity": 20, "version": 2}


def test_a_patch_that_changes_nothing_keeps_the_version(api):
    group = api.post("/v1/groups", GROUP).json()
    for body in ({}, {"capacity": group["capacity"]}):
        assert api.patch(f"/v1/groups/{group['id']}", body).headers["etag"] == 'W/"1"'


def test_a_patch_of_a_version_that_is_not_current_is_refused(api):
    group = api.post("/v1/groups", GROUP).json()
    address = f"/v1/groups/{group['id']}"
    assert api.patch(address, {"capacity": 9}, headers={"If-Match": 'W/"1"'}).status_code == 200
    for tag in ('W/"1"', '"7"', '"never-ours"'):
        stale = api.patch(address, {"capacity": 8}, headers={"If-Match": tag})
        assert stale.status_code == 412
    assert api.get(address).json()["capacity"] == 9
    assert api.patch(address, {"capacity": 8}, headers={"If-Match": "*"}).status_code == 200


def test_an_if_match_that_is_no_entity_tag_is_named(sqlite_api):
    group = sqlite_api.post("/v1/groups", GROUP).json()
    for tag in ("1", 'W/1"', '"1", "2"', ""):
        answer = sqlite_api.patch(f"/v1/groups/{group['id']}", {}, headers={"If-Match": tag})
        assert answer.status_code == 400
        assert list(rules(answer)) == ["If-Match"]


def test_a_known_version_is_not_sent_again(sqlite_api):
    group = sqlite_api.post("/v1/groups", GROUP).json()
    address = f"/v1/groups/{group['id']}"
    for tag in ('W/"1"', '"1"', '"0", W/"1"', "*"):
        known = sqlite_api.get(address, headers={"If-None-Match": tag})
        assert (known.status_code, known.content) == (304, b"")
        assert known.headers["etag"] == 'W/"1"'
    assert sqlite_api.get(address, headers={"If-None-Match": '"2"'}).status_code == 200


def test_each_broken_rule_of_a_group_is_named(sqlite_api):
    def broken(**more):
        answer = sqlite_api.post("/v1/groups", GROUP | more)
        assert answer.status_code in {400, 422}
        return rules(answer)

    assert "greater than or equal to 1" in broken(capacity=0)["capacity"]
    assert list(broken(capacity="12")) == ["capacity"]
    assert list(broken(capacity=2**40)) == ["capacity"]
    assert "gad-7, gse, isi" in broken(instruments=["mood"])["instruments"]
    assert list(broken(language="en us")) == ["language"]
    assert list(broken(facilitation="robot")) == ["facilitation"]
    assert list(broken(purpose="   ")) == ["purpose"]
    assert "control" in broken(topic="a\x00b")["topic"]
    assert list(broken(place_id=str(uuid4()))) == ["place_id"]
    assert list(broken(colour="red")) == ["colour"]
    assert "safety items" in broken(escalation_contact=None)["escalation_contact"]


def test_a_field_that_may_not_be_empty_cannot_be_nulled(sqlite_api):
    group = sqlite_api.post("/v1/groups", GROUP).json()
    answer = sqlite_api.patch(f"/v1/groups/{group['id']}", {"capacity": None})
    assert answer.status_code == 422
    assert list(rules(answer)) == ["capacity"]


def test_a_body_that_is_no_json_is_a_problem(sqlite_api):
    deep, long = b"[" * 100_000, b'{"capacity": ' + b"9" * 5000 + b"}"
    surrogates = (b'{"topic": "\\ud800"}', b'{"\\ud800": 1}')
    for content in (b"{", b"[]", b"null", b"\xff", b'"text"', deep, long, *surrogates):
        headers = {"Content-Type": "application/json"}
        answer = sqlite_api.call("POST", "/v1/groups", content=content, headers=headers)
        assert answer.status_code in {400, 422}, content[:50]
        assert answer.headers["content-type"] == "application/problem+json"


def test_facilitators_and_places_are_created_and_read(api):
    person = {"family": "Okafor", "given": "Ngozi", "kind": "peer"}
    place = {"name": "Library", "city": "Springfield"}
    for collection, body in (("facilitators", person), ("places", place)):
        made = api.post(f"/v1/{collection}", body)
        assert made.status_code == 201, made.text
        address = made.headers["location"]
        assert api.get(address).json() == made.json()
        assert everything(api, f"/v1/{collection}") == [made.json()]
    answer = api.post("/v1/facilitators", person | {"kind": "co-led"})
    assert rules(answer) == {"kind": "a person is a peer or a professional"}


def test_connections_are_listed_with_their_policy(api):
    first, second = world.hospital(api.database, "A"), world.hospital(api.database, "B")
    items = everything(api, "/v1/connections?limit=1")
    assert [item["id"] for item in items] == [str(first.id), str(second.id)]
    assert {"name": "A", "environment": "test", "policy": "opt-in"}.items() <= items[0].items()


def test_instruments_say_what_can_be_answered(sqlite_api):
    items = everything(sqlite_api, "/v1/instruments?limit=1")
    by_id = {item["id"]: item for item in items}
    assert list(by_id) == sorted(load_instruments())
    first = by_id["phq-9"]["items"][0]
    assert first["link_id"] == "/44250-9"
    assert [answer["score"] for answer in first["answers"]] == [0, 1, 2, 3]
    turned = by_id["pss-10"]["items"][3]["answers"]
    assert [(each["value"], each["score"]) for each in turned] == [
        (0, 4), (1, 3), (2, 2), (3, 1), (4, 0),
    ]  # fmt: skip
    assert [each["id"] for each in by_id["promis-global-10"]["scores"]] == [
        "total", "gph", "gmh-t", "gph-t",
    ]  # fmt: skip
    assert by_id["isi"]["items"][0]["text"] is None
    assert "Add your licensed copy" in by_id["isi"]["gaps"][0]
