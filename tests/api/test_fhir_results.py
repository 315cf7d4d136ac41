"""What an answer holds: how much of each resource, in which order, over which pages."""

from typing import Any

import orjson
import pytest

from tests import world
from tests.api.fhir_endpoint import Endpoint
from tests.api.sent import Sender

SUBSETTED = "SUBSETTED"


@pytest.fixture
def sender(endpoint: Endpoint) -> Sender:
    hospital = world.hospital(endpoint.context.database)
    world.linked(endpoint.context.database, hospital)
    return Sender(endpoint, hospital, endpoint.patient_id(hospital))


def tagged(resource: dict[str, Any]) -> bool:
    return SUBSETTED in {tag["code"] for tag in resource["meta"].get("tag", ())}


def read(sender: Sender, path: str, **more: Any) -> Any:
    return sender.endpoint.get(path, sender.hospital, **more)


def test_a_summary_has_the_elements_that_the_definition_marks(sender: Sender):
    sent = sender.observation(
        note=[{"text": "rested"}],
        component=[{"code": {"text": "a"}, "interpretation": [{"text": "high"}]}],
    )
    path = f"Observation/{sent['id']}"
    answer = read(sender, f"{path}?_summary=true")
    body = answer.json()
    assert tagged(body)
    assert {"id", "status", "code", "subject", "valueQuantity"} <= set(body)
    assert "note" not in body
    assert body["component"] == [{"code": {"text": "a"}}]
    assert answer.headers["etag"] == 'W/"1"'
    assert read(sender, f"{path}?_summary=false").json() == sent


def test_a_text_summary_has_text_and_what_is_mandatory(sender: Sender):
    text = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}
    path = f"Observation/{sender.observation(text=text)['id']}"
    narrated = read(sender, f"{path}?_summary=text").json()
    assert set(narrated) == {"resourceType", "id", "meta", "text", "status", "code"}
    data = read(sender, f"{path}?_summary=data").json()
    assert "text" not in data
    assert "valueQuantity" in data
    assert tagged(data)


def test_elements_come_with_what_is_mandatory(sender: Sender):
    path = f"Observation/{sender.observation()['id']}"
    body = read(sender, f"{path}?_elements=valueQuantity,effectiveDateTime").json()
    assert tagged(body)
    assert set(body) == {
        "resourceType", "id", "meta", "status", "code", "valueQuantity", "effectiveDateTime",
    }  # fmt: skip


def test_numbers_keep_their_digits_in_every_shape(sender: Sender):
    body = (
        b'{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":'
        b'{"reference":"Patient/%b"},"valueQuantity":{"value":72.50}}' % sender.patient.encode()
    )
    headers = {"Content-Type": "application/fhir+json"}
    sent = sender.endpoint.request(
        "POST", "Observation", sender.hospital, content=body, headers=headers
    ).json()
    for query in ("_summary=true", "_elements=valueQuantity", "_pretty=true"):
        answer = read(sender, f"Observation/{sent['id']}?{query}")
        assert b"72.50" in answer.content
        found = read(sender, f"Observation?_id={sent['id']}&{query}")
        assert b"72.50" in found.content


def test_shapes_hold_for_searches_versions_and_histories(sender: Sender):
    sent = sender.observation(note=[{"text": "rested"}])
    path = f"Observation/{sent['id']}"
    for query in (
        f"Observation?_id={sent['id']}&_summary=true",
        f"{path}/_history?_summary=true",
        "Observation/_history?_elements=status",
        "_history?_elements=status",
    ):
        entries = read(sender, query).json()["entry"]
        resource = next(e["resource"] for e in entries if e["resource"]["id"] == sent["id"])
        assert tagged(resource)
        assert "note" not in resource
    assert tagged(read(sender, f"{path}/_history/1?_summary=data").json())


def test_pretty_is_the_same_json_laid_out(sender: Sender):
    path = f"Observation/{sender.observation()['id']}"
    plain, pretty = read(sender, path), read(sender, f"{path}?_pretty=true")
    assert plain.json() == pretty.json()
    assert pretty.text.startswith('{\n  "resourceType": "Observation",\n  "id": "')
    assert pretty.text.count("\n") > 10
    assert pretty.headers["content-length"] == str(len(pretty.content))
    refused = read(sender, "Observation/1?_pretty=true")
    assert refused.status_code == 404
    assert refused.text.startswith('{\n  "')
    assert orjson.loads(pretty.content) == orjson.loads(plain.content)


def test_head_has_the_headers_of_a_read_and_no_body(sender: Sender):
    path = f"Observation/{sender.observation()['id']}"
    got = read(sender, path)
    head = sender.endpoint.request("HEAD", path, sender.hospital)
    assert (head.status_code, head.content) == (200, b"")
    names = ("etag", "last-modified", "content-length", "content-type")
    assert [head.headers[name] for name in names] == [got.headers[name] for name in names]
    assert sender.endpoint.request("HEAD", "Observation/1", sender.hospital).status_code == 404


def test_a_read_is_not_repeated_to_who_has_it_since_then(sender: Sender):
    path = f"Observation/{sender.observation()['id']}"
    stamp = read(sender, path).headers["last-modified"]
    again = read(sender, path, headers={"If-Modified-Since": stamp})
    before = {"If-Modified-Since": "Mon, 01 Jan 2024 00:00:00 GMT"}
    assert (again.status_code, again.content) == (304, b"")
    assert read(sender, path, headers=before).status_code == 200
    assert read(sender, path, headers={"If-Modified-Since": "soon"}).status_code == 200
    both = {"If-Modified-Since": stamp, "If-None-Match": 'W/"9"'}
    assert read(sender, path, headers=both).status_code == 200
    assert read(sender, f"{path}/_history/1", headers={"If-None-Match": 'W/"1"'}).status_code == 304


def test_what_its_client_deleted_is_gone_and_keeps_its_history(sender: Sender):
    sent = sender.observation()
    path = f"Observation/{sent['id']}"
    assert sender.endpoint.request("DELETE", path, sender.hospital).status_code in {200, 204}
    answer = read(sender, path)
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (410, "deleted")
    assert read(sender, f"{path}/_history/2").status_code == 410
    assert read(sender, f"{path}/_history/1").json() == sent
    entries = read(sender, f"{path}/_history").json()["entry"]
    assert [each["request"]["method"] for each in entries] == ["DELETE", "POST"]
    assert "resource" not in entries[0]
    other = world.hospital(sender.endpoint.context.database, "B")
    assert sender.endpoint.get(path, other).status_code == 404
    assert sender.endpoint.ids("Observation", sender.hospital) == []


def test_several_sort_keys_each_have_their_direction(sender: Sender):
    for code, day, value in (("b", 1, 2), ("a", 2, 1), ("a", 1, 3), ("b", 2, 10), ("a", 2, 5)):
        moment = f"2026-03-0{day}T10:00:00Z"
        sender.observation(code=code, value=value, effectiveDateTime=moment)

    def order(sort: str) -> list[tuple[str, int, float]]:
        for_all = sender.endpoint.resources(f"Observation?_sort={sort}&_count=2", sender.hospital)
        return [
            (
                each["code"]["coding"][0]["code"],
                int(each["effectiveDateTime"][8:10]),
                each["valueQuantity"]["value"],
            )
            for each in for_all
        ]

    everything = order("_id")
    assert order("code,-value-quantity") == sorted(everything, key=lambda k: (k[0], -k[2]))
    assert order("-code,value-quantity") == sorted(everything, key=lambda k: (-ord(k[0]), k[2]))
    assert order("-date,code,-value-quantity") == sorted(
        everything, key=lambda k: (-k[1], k[0], -k[2])
    )
    assert len(everything) == 5


def test_what_has_no_value_comes_first_and_pages_go_on(sender: Sender):
    without = sender.about("Observation", status="final", code={"text": "none"})
    for value in (3, 1, 2):
        sender.observation(value=value)
    ids = sender.endpoint.ids("Observation?_sort=value-quantity&_count=1", sender.hospital)
    back = sender.endpoint.ids("Observation?_sort=-value-quantity&_count=1", sender.hospital)
    assert ids[0] == without["id"]
    assert back[-1] == without["id"]
    assert len(ids) == len(back) == 4


@pytest.mark.parametrize(
    "sort",
    [
        "status", "-code", "patient", "value-string", "-value-quantity", "value-date", "encounter",
        "-_lastUpdated,_id", "category,-date,code", "_id,status",
    ],
)  # fmt: skip
def test_every_kind_of_parameter_sorts_and_pages(sender: Sender, sort: str):
    ids = {sender.observation(value=number)["id"] for number in range(5)}
    found = sender.endpoint.ids(f"Observation?_sort={sort}&_count=2", sender.hospital)
    assert sorted(found) == sorted(ids)


def test_an_unknown_sort_key_is_reported(sender: Sender):
    page = read(sender, "Observation?_sort=colour").json()
    assert page["entry"][0]["search"] == {"mode": "outcome"}
    strict = read(sender, "Observation?_sort=code-value-quantity", headers=STRICT)
    assert strict.status_code == 400


STRICT = {"Prefer": "handling=strict"}


def links(page: dict[str, Any]) -> dict[str, str]:
    return {each["relation"]: each["url"] for each in page["link"]}


def test_what_comes_while_paging_stays_out_and_what_changes_is_met_once(sender: Sender):
    before = [sender.observation(value=number) for number in range(6)]
    first = read(sender, "Observation?_count=2&_total=accurate").json()
    new = sender.observation()
    changed = before[-1] | {"status": "amended"}
    path = f"Observation/{changed['id']}"
    answer = sender.endpoint.request("PUT", path, sender.hospital, json=changed)
    assert answer.status_code == 200
    ids = [each["resource"]["id"] for each in first["entry"]]
    assert first["total"] == 6
    url = links(first).get("next")
    while url:
        page = read(sender, url).json()
        ids += [each["resource"]["id"] for each in page["entry"]]
        assert "total" not in page
        url = links(page).get("next")
    assert sorted(ids) == sorted(each["id"] for each in before)
    assert new["id"] not in ids


def test_a_link_is_good_for_one_client_and_one_query(sender: Sender):
    for _ in range(3):
        sender.observation()
    url = links(read(sender, "Observation?_count=1&_sort=-date,code").json())["next"]
    assert read(sender, url).status_code == 200
    other = sender.endpoint.token(sender.hospital, "system/Observation.rs")
    assert sender.endpoint.get(url, token=other).status_code == 400
    assert read(sender, url.replace("_count=1", "_count=2")).status_code == 400
    assert read(sender, url[:-2] + "xx").status_code == 400
