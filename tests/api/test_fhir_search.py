from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlmodel import select

from service.commands import WithdrawConsent
from service.models.consents import Category, Consent
from tests import world
from tests.api.fhir_endpoint import BASE, Endpoint, week

TOTAL = "44261-6"


@pytest.fixture
def hospital(endpoint: Endpoint):
    return world.hospital(endpoint.context.database, "A")


def series(endpoint: Endpoint, hospital, count: int = 5) -> str:
    """A patient with so many weekly PHQ-9s; the id that the hospital knows them by."""
    database = endpoint.context.database
    person = world.linked(database, hospital)
    for number in range(count):
        authored = world.now() - week(number)
        world.execute(
            database,
            world.RecordResponse(
                patient_id=person.id, instrument="phq-9", answers=world.phq9(1), authored=authored
            ),
        )
    return endpoint.ids("Patient?_sort=-_lastUpdated", hospital)[0]


def test_a_score_series_comes_newest_first_over_pages(endpoint: Endpoint, hospital):
    patient = series(endpoint, hospital)
    series(endpoint, hospital)
    query = f"Observation?patient={patient}&code={TOTAL}&_sort=-date"
    whole = endpoint.resources(query, hospital)
    paged = endpoint.resources(f"{query}&_count=2", hospital)
    dates = [each["effectiveDateTime"] for each in whole]
    assert dates == sorted(dates, reverse=True)
    assert len(set(dates)) == 5
    assert paged == whole
    assert {each["subject"]["reference"] for each in whole} == {f"Patient/{patient}"}


@pytest.mark.parametrize("sort", ["_id", "-_id", "_lastUpdated", "-_lastUpdated", "date", "-date"])
def test_every_order_walks_everything_once(endpoint: Endpoint, hospital, sort: str):
    series(endpoint, hospital)
    whole = endpoint.ids("Observation", hospital)
    paged = endpoint.ids(f"Observation?_sort={sort}&_count=3", hospital)
    assert len(whole) == 5 * 10
    assert sorted(paged) == sorted(whole)
    if sort == "_id":
        assert all(one < other for one, other in pairwise(paged))


def test_a_patient_can_be_named_in_three_ways(endpoint: Endpoint, hospital):
    patient = series(endpoint, hospital, 1)
    counts = {
        len(endpoint.ids(f"Observation?{name}={value}", hospital))
        for name in ("patient", "subject", "subject:Patient")
        for value in (patient, f"Patient/{patient}", f"{BASE}/Patient/{patient}")
    }
    assert counts == {10}
    assert endpoint.ids("Observation?patient=Group/1", hospital) == []
    assert endpoint.ids(f"Observation?patient=http://else.where/Patient/{patient}", hospital) == []


@pytest.mark.parametrize(
    ("query", "count"),
    [
        (f"code={TOTAL}", 2),
        (f"code=http://loinc.org|{TOTAL}", 2),
        (f"code=http://else|{TOTAL}", 0),
        (f"code=|{TOTAL}", 0),
        ("code=http://loinc.org|", 20),
        (f"code={TOTAL},44250-9", 4),
        (f"code={TOTAL}&code=44250-9", 0),
        (f"code={TOTAL}&status=final", 2),
        ("category=survey", 20),
        ("code=no%5C,thing", 0),
    ],
)
def test_tokens_are_found_by_system_and_code(endpoint: Endpoint, hospital, query, count):
    series(endpoint, hospital, 2)
    assert len(endpoint.ids(f"Observation?{query}", hospital)) == count


def test_a_patient_is_found_by_identifier_and_by_name(endpoint: Endpoint, hospital):
    database = endpoint.context.database
    person = world.patient(database, family="Müller-Lüdenscheidt", given="Ana")
    other = world.patient(database, family="Smith%", given="Bo")
    for each in (person, other):
        world.link(database, each, hospital)
        world.consent(database, each, hospital)
    (found,) = endpoint.resources("Patient?family=muller", hospital)
    mrn = next(i for i in found["identifier"] if i["system"] == "urn:mrn:A")["value"]
    ids = [found["id"]]
    assert endpoint.ids(f"Patient?identifier=urn:mrn:A|{mrn}", hospital) == ids
    assert endpoint.ids(f"Patient?identifier={mrn}", hospital) == ids
    assert endpoint.ids(f"Patient?identifier={mrn}&name=ana", hospital) == ids
    assert endpoint.ids(f"Patient?identifier={mrn}&name=bo", hospital) == []
    assert endpoint.ids("Patient?name=ANA,bo", hospital) != ids
    assert endpoint.ids("Patient?name:contains=denscheidt", hospital) == ids
    assert endpoint.ids("Patient?name=denscheidt", hospital) == []
    assert endpoint.ids("Patient?family=smith%25", hospital) != []
    assert endpoint.ids("Patient?family=s%25", hospital) == []


def test_dates_and_last_updated_bound_a_search(endpoint: Endpoint, hospital):
    patient = series(endpoint, hospital, 3)
    scores = f"Observation?patient={patient}&code={TOTAL}"
    dates = [
        each["effectiveDateTime"] for each in endpoint.resources(f"{scores}&_sort=date", hospital)
    ]
    assert len(endpoint.ids(f"{scores}&date=gt{dates[0]}", hospital)) == 2
    assert len(endpoint.ids(f"{scores}&date=ge{dates[0]}&date=lt{dates[2]}", hospital)) == 2
    assert len(endpoint.ids(f"{scores}&date={dates[1][:10]}", hospital)) == 1
    assert len(endpoint.ids(f"{scores}&date=ne{dates[1][:10]}", hospital)) == 2
    assert endpoint.ids(f"{scores}&date=eb2000", hospital) == []
    newest = endpoint.resources(f"{scores}&_sort=-_lastUpdated", hospital)[0]
    stamp = newest["meta"]["lastUpdated"]
    assert endpoint.ids(f"{scores}&_lastUpdated={stamp}", hospital) == [newest["id"]]
    assert endpoint.ids(f"{scores}&_lastUpdated=gt{stamp}", hospital) == []
    assert len(endpoint.ids(f"{scores}&_lastUpdated=ge2020-01-01", hospital)) == 3


def test_several_ids_are_found_at_once(endpoint: Endpoint, hospital):
    series(endpoint, hospital, 1)
    ids = endpoint.ids("Observation", hospital)[:3]
    assert sorted(endpoint.ids(f"Observation?_id={','.join(ids)},x", hospital)) == sorted(ids)
    assert endpoint.ids(f"Observation?_id={ids[0]}&_id={ids[1]}", hospital) == []


def test_totals_are_given_only_when_asked(endpoint: Endpoint, hospital):
    series(endpoint, hospital, 2)
    plain = endpoint.get("Observation?_count=1", hospital).json()
    counted = endpoint.get("Observation?_count=1&_total=accurate", hospital).json()
    only = endpoint.get("Observation?_summary=count", hospital).json()
    none = endpoint.get(f"Observation?_count=0&code={TOTAL}", hospital).json()
    assert "total" not in plain
    assert (counted["total"], len(counted["entry"])) == (20, 1)
    assert (only["total"], "entry" in only) == (20, False)
    assert none["total"] == 2


def test_what_is_not_supported_is_reported_or_refused(endpoint: Endpoint, hospital):
    query = "Observation?colour=red&code:sort-of=x&status=final"
    lenient = endpoint.get(query, hospital)
    (entry,) = lenient.json()["entry"]
    strict = endpoint.get(query, hospital, headers={"Prefer": "handling=strict"})
    assert entry["search"] == {"mode": "outcome"}
    assert [each["severity"] for each in entry["resource"]["issue"]] == ["warning", "warning"]
    assert lenient.json()["link"] == [
        {"relation": "self", "url": f"{BASE}/Observation?status=final"}
    ]
    assert strict.status_code == 400
    assert [each["code"] for each in strict.json()["issue"]] == ["not-supported"] * 2


@pytest.mark.parametrize(
    "query",
    [
        "code=",
        "patient=",
        "date=yesterday",
        "date=ge2026-13-01",
        "date=0000",
        "_lastUpdated=2026-02-30",
        "_count=-1",
        "_count=ten",
        "_count=1&_count=2",
        "_sort=-",
        "_total=maybe",
        "_summary=perhaps",
        "code=a|b|c",
        "code=|",
        "code=,",
        "code=a%00b",
        "_id=" + ",".join("x" * 501),
        "&".join(["code=x"] * 60),
        "_pretty=1",
    ],
)
def test_a_wrong_value_is_refused_by_name(endpoint: Endpoint, hospital, query: str):
    answer = endpoint.get(f"Observation?{query}", hospital)
    (issue,) = answer.json()["issue"]
    assert (answer.status_code, issue["severity"]) == (400, "error")
    assert issue["expression"] in ([query.partition("=")[0]], ["query"])


def test_a_next_link_is_good_for_its_client_and_query_only(endpoint: Endpoint, hospital):
    series(endpoint, hospital, 1)
    database = endpoint.context.database
    other = world.hospital(database, "B")
    page = endpoint.get("Observation?_count=2", hospital).json()
    link = next(each["url"] for each in page["link"] if each["relation"] == "next")
    cursor = parse_qs(urlsplit(link).query)["_cursor"][0]
    flipped = cursor[:-2] + ("A" if cursor[-2] != "A" else "B") + cursor[-1]
    refused = [
        endpoint.get(link, other),
        endpoint.get(link),
        endpoint.get(link, token=endpoint.token(hospital, "system/Observation.s")),
        endpoint.get(link.replace(cursor, flipped), hospital),
        endpoint.get(link.replace(cursor, "x"), hospital),
        endpoint.get(link.replace(cursor, "é"), hospital),
        endpoint.get(link.replace("_count=2", "_count=3"), hospital),
        endpoint.get(link.replace("Observation", "Encounter"), hospital),
    ]
    assert {answer.status_code for answer in refused} == {400}
    assert endpoint.get(link, hospital).status_code == 200


@pytest.mark.parametrize("path", ["Observation", "", "Patient/{}/Observation", "Patient/{}/*"])
def test_no_page_after_the_first_says_how_many_there_were(endpoint: Endpoint, hospital, path):
    patient = series(endpoint, hospital)
    query = "_type=Observation&" if "Observation" not in path else ""
    url = f"{path.format(patient)}?{query}code={TOTAL}&_count=2&_total=accurate"
    first = endpoint.get(url, hospital).json()
    assert (first["total"], len(first["entry"])) == (5, 2)
    database = endpoint.context.database
    consents = database.read(lambda session: session.exec(select(Consent)).all())
    given = next(each for each in consents if each.category is Category.SCORES)
    world.execute(database, WithdrawConsent(consent_id=given.id, withdrawn_by="tester"))
    link = next(each["url"] for each in first["link"] if each["relation"] == "next")
    later = endpoint.get(link, hospital).json()
    assert ("total" in later, "entry" in later) == (False, False)
    assert endpoint.get(url, hospital).json()["total"] == 0


def test_a_search_by_post_is_the_same_search(endpoint: Endpoint, hospital):
    patient = series(endpoint, hospital, 1)
    form = {"patient": patient, "code": TOTAL}
    posted = endpoint.request("POST", "Observation/_search", hospital, data=form).json()
    got = endpoint.get(f"Observation?patient={patient}&code={TOTAL}", hospital).json()
    assert posted == got
    wrong = endpoint.request("POST", "Observation/_search", hospital, json={})
    assert wrong.status_code == 415


def test_the_bundle_bears_its_highest_label(endpoint: Endpoint, hospital):
    series(endpoint, hospital, 1)
    label = endpoint.get(f"Observation?code={TOTAL}", hospital).json()["meta"]["security"]
    assert [each["code"] for each in label] == ["R", "PSY"]
    public = endpoint.get("Questionnaire", hospital).json()["meta"]["security"]
    assert [each["code"] for each in public] == ["N"]


def test_neither_hospital_finds_anything_of_the_others(endpoint: Endpoint, hospital):
    other = world.hospital(endpoint.context.database, "B")
    patient = series(endpoint, hospital, 1)
    for name in endpoint.context.registry.by_type:
        mine, theirs = (endpoint.resources(name, caller) for caller in (hospital, other))
        shared = {each["id"] for each in mine} & {each["id"] for each in theirs}
        public = {"Organization", "Practitioner", "PractitionerRole", "Location",
                  "HealthcareService", "Questionnaire"}  # fmt: skip
        assert not shared or name in public
    assert endpoint.ids(f"Observation?patient={patient}", other) == []


def test_search_takes_the_s_of_the_scope(endpoint: Endpoint, hospital):
    token = endpoint.token(hospital, "system/Observation.r")
    assert endpoint.get("Observation", token=token).status_code == 403
    assert endpoint.get("Patient", token=token).status_code == 403
