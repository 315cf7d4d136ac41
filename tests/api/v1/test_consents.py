"""Consents at /v1: terms, versions, evidence, what waits, and why."""

from datetime import timedelta
from typing import Any

import pytest

from service.commands import ReceiveConsent
from service.models.aggregates import patient_aggregate
from service.models.consents import Category, Decision
from service.models.provisions import Provision
from service.sent_consents import receive_consent
from tests import world
from tests.api.v1.programme import Api, rules

Json = dict[str, Any]


@pytest.fixture
def here(api: Api) -> tuple[Api, str, str]:
    hospital = world.hospital(api.database)
    person = world.patient(api.database)
    world.link(api.database, person, hospital)
    return api, str(person.id), str(hospital.id)


def record(here: tuple[Api, str, str], **said: Any) -> Any:
    api, person, hospital = here
    body = {"connection_id": hospital, "category": "scores", **said}
    return api.post(f"/v1/patients/{person}/consents", {k: v for k, v in body.items() if v})


def test_a_consent_without_purposes_is_for_treatment_and_a_denial_for_all(here: Any):
    assert record(here).json()["purposes"] == ["TREAT"]
    assert record(here, decision="deny").json()["purposes"] == []


def test_what_a_consent_said_before_stays_readable(here: Any):
    api = here[0]
    evidence = {"kind": "verbal", "witness": "Sam Ortiz", "given_on": "2026-01-05"}
    made = record(here, evidence=evidence).json()
    path = f"/v1/consents/{made['id']}"
    said = {"categories": ["scores", "answers"], "purposes": ["HPAYMT"], "amended_by": "Kim"}
    stale = api.post(f"{path}/amend", said, headers={"If-Match": '"9"'})
    assert stale.status_code == 412
    now = api.post(f"{path}/amend", said, headers={"If-Match": '"1"'}).json()
    assert (now["category"], now["terms_version"], now["recorded_by"]) == (None, 2, "Kim")
    assert now["evidence"] is None
    (before,) = api.get(f"{path}/versions").json()["items"]
    assert (before["terms_version"], before["categories"]) == (1, ["scores"])
    assert (before["purposes"], before["evidence"]) == (["TREAT"], evidence)
    assert before["until"] == now["changed_at"]
    api.post(f"{path}/withdraw")
    assert api.post(f"{path}/amend", said).status_code == 422
    assert api.get("/v1/consents/01890000-0000-7000-8000-000000000000/versions").status_code == 404


def test_evidence_is_typed_and_says_who_and_when(here: Any):
    good = (
        {"kind": "signed-form", "document": "f/1", "signed_on": "2026-01-05", "sha256": "a" * 64},
        {"kind": "e-signature", "signer": "P", "signed_at": "2026-01-05T10:00:00Z", "method": "m"},
    )
    for evidence in good:
        made = record(here, evidence=evidence).json()["evidence"]
        assert made["kind"] == evidence["kind"]
    late = {"kind": "verbal", "witness": "S", "given_on": f"{world.now() + timedelta(days=2):%F}"}
    assert "evidence.given_on" in rules(record(here, evidence=late))
    for wrong in ({"kind": "word"}, {"kind": "verbal", "witness": " ", "given_on": "2026-01-05"}):
        assert record(here, evidence=wrong).status_code in {400, 422}


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"category": None}, "category"),
        ({"categories": ["answers"]}, "categories"),
        ({"provisions": [{"decision": "deny", "start": "2026-02-01T00:00:00Z",
                          "end": "2026-01-01T00:00:00Z"}]}, "provisions[0].end"),
        ({"provisions": [{"decision": "deny"}] * 50}, "provisions"),
    ],
    ids=str,
)  # fmt: skip
def test_a_rule_that_is_broken_is_named(here: Any, said: Json, field: str):
    answer = record(here, **said)
    assert answer.status_code in {400, 422}
    assert field in rules(answer)


def test_exceptions_may_be_five_deep(here: Any):
    deep: Json = {"decision": "deny"}
    for _ in range(4):
        deep = {"decision": "permit", "provisions": [deep]}
    assert record(here, provisions=[deep]).status_code == 201
    deeper = {"decision": "permit", "provisions": [deep]}
    assert record(here, provisions=[deeper]).status_code in {400, 422}


def test_what_a_hospital_sent_waits_for_the_programmes_word(here: Any):
    api, person, hospital = here
    ids = {"patient_id": world.UUID(person), "connection_id": world.UUID(hospital)}
    permit = Provision(decision=Decision.PERMIT, categories=frozenset({Category.SCORES}))
    command = ReceiveConsent(**ids, sent_as="0" * 32, provision=permit, sent_by="ehr")
    api.database.unit_of_work(
        lambda session: receive_consent(session, command, world.now()),
        patient_aggregate(ids["patient_id"]),
    )
    record(here)
    (waiting,) = api.get("/v1/consents?standing=pending").json()["items"]
    assert (waiting["sent_by_hospital"], waiting["recorded_by"]) == (True, "ehr")
    assert len(api.get("/v1/consents").json()["items"]) == 2
    path = f"/v1/consents/{waiting['id']}"
    assert api.post(f"{path}/amend", {"category": "scores"}).status_code == 422
    done = api.post(f"{path}/refuse", {"settled_by": "Kim"}).json()
    assert (done["standing"], done["settled_by"]) == ("refused", "Kim")
    assert api.get("/v1/consents?standing=pending").json()["items"] == []
    assert api.post(f"{path}/confirm").status_code == 422


def test_an_explanation_knows_of_a_restriction(here: Any):
    api, person, hospital = here
    asked = {"patient_id": person, "connection_id": hospital, "category": "scores"}
    record(here)

    def why(at: Any = None) -> str:
        more = {"at": at.isoformat()} if at else {}
        found = api.get("/v1/consents/explain", params={**asked, **more}).json()
        assert found["given"] is (found["rule"] == "permitted")
        return str(found["rule"])

    before = world.now()
    api.post(f"/v1/patients/{person}/restrictions", {"reason": "disputed"})
    between = world.now()
    assert (why(before), why()) == ("permitted", "restricted")
    (row,) = api.get(f"/v1/patients/{person}/restrictions").json()["items"]
    api.post(f"/v1/restrictions/{row['id']}/lift", {"lifted_by": "Kim"})
    assert (why(between), why()) == ("restricted", "permitted")


def test_an_explanation_tells_what_held_at_another_moment(here: Any):
    api, person, hospital = here
    asked = {"patient_id": person, "connection_id": hospital, "category": "scores"}
    begun, step = world.now(), timedelta(minutes=10)

    def why(at: Any = None) -> Json:
        more = {"at": at.isoformat()} if at else {}
        found: Json = api.get("/v1/consents/explain", params={**asked, **more}).json()
        return found

    end = (begun + step).isoformat()
    made = record(here, end=end).json()
    assert (why()["rule"], why(begun + 2 * step)["rule"]) == ("permitted", "default")
    (late,) = why(begun + 2 * step)["considered"]
    assert (late["consent_id"], late["reason"]) == (made["id"], "ended")
    between = world.now()
    api.post(f"/v1/consents/{made['id']}/amend", {"category": "scores", "purposes": ["HPAYMT"]})
    assert why(between)["rule"] == "permitted"
    assert why()["rule"] == "withdrawn"
    after = world.now()
    api.post(f"/v1/consents/{made['id']}/withdraw")
    assert why(after)["considered"][0]["reason"] == "other-purpose"
    assert why(begun - step)["rule"] == "no-link"
    nobody = {**asked, "patient_id": "01890000-0000-7000-8000-000000000000"}
    assert api.get("/v1/consents/explain", params=nobody).status_code == 400
    assert api.get("/v1/consents/explain").status_code == 422
