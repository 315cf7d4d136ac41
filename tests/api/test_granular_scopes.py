"""Scopes with `?parameter=value` on every way to read: smart.md, 68 to 71, and what they imply.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

import re
from dataclasses import dataclass
from typing import Any

import pytest

from service.smart.discovery import CONDITIONS, OBSERVATIONS, SCOPES
from tests.api.clients import Client, condition, observation, person, refused
from tests.api.fhir_endpoint import BASE
from tests.api.served import Served

HL7 = "http://terminology.hl7.org/CodeSystem"
CORE = "http://hl7.org/fhir/us/core/CodeSystem"
LABORATORY = f"{HL7}/observation-category|laboratory"
VITAL = f"{HL7}/observation-category|vital-signs"
# The two groups of sub-scopes that the US Core test kit asks for.
FIRST = {
    "Condition": [
        f"{HL7}/condition-category|encounter-diagnosis",
        f"{CORE}/condition-category|health-concern",
    ],
    "Observation": [LABORATORY, f"{HL7}/observation-category|social-history"],
}
SECOND = {
    "Condition": [f"{HL7}/condition-category|problem-list-item"],
    "Observation": [VITAL, f"{HL7}/observation-category|survey", f"{CORE}/us-core-category|sdoh"],
}
GROUPS = [FIRST, SECOND]

WHOLE = BASE  # a Bundle is sent to the base itself

Json = dict[str, Any]


def scopes_of(group: dict[str, list[str]], letters: str = "rs") -> str:
    granular = [f"system/{k}.{letters}?category={c}" for k, codes in group.items() for c in codes]
    return " ".join(["system/Patient.rs", "system/Encounter.rs", *granular])


def category(code: str) -> list[Json]:
    return [{"coding": [dict(zip(("system", "code"), code.split("|"), strict=True))]}]


@dataclass
class Chart:
    """One patient with an Observation and a Condition of each category, and one of none."""

    client: Client
    patient: str
    ids: dict[tuple[str, str], str]

    def of(self, name: str, codes: list[str]) -> set[str]:
        return {self.ids[name, code] for code in codes}

    def limited(self, scope: str) -> Client:
        return self.client.limited(scope)


@pytest.fixture
def chart(sender: Client) -> Chart:
    patient = sender.patient()
    ids = {}
    for name, codes, made in (
        ("Observation", OBSERVATIONS, observation),
        ("Condition", CONDITIONS, condition),
    ):
        ids[name, ""] = sender.made(made(patient))["id"]
        for code in codes:
            ids[name, code] = sender.made(made(patient, category=category(code)))["id"]
    return Chart(sender, patient, ids)


@pytest.mark.parametrize("group", GROUPS, ids=["first", "second"])
def test_68_the_sub_scopes_of_us_core_are_granted_as_they_were_asked(
    served_on_sqlite: Served, group: dict[str, list[str]]
):
    secret = served_on_sqlite.secret("us-core", "system/*.rs")
    asked = scopes_of(group)
    form = {"grant_type": "client_credentials", "scope": asked}
    answer = served_on_sqlite.client.post("/oauth/token", data=form, auth=("us-core", secret))
    assert (answer.status_code, answer.json()["scope"]) == (200, asked)
    granted = answer.json()["scope"].split()
    assert not any(re.fullmatch(r"system/(\*|Condition|Observation)\.\w+", one) for one in granted)
    told = served_on_sqlite.client.post(
        "/oauth/introspect",
        data={"token": answer.json()["access_token"]},
        headers={"Authorization": f"Bearer {answer.json()['access_token']}"},
    )
    assert told.json()["scope"] == asked


def test_68_who_may_have_some_gets_no_scope_of_the_whole_type(served_on_sqlite: Served):
    secret = served_on_sqlite.secret("some", f"system/Observation.rs?category={LABORATORY}")
    for scope in (
        "system/Observation.rs",
        "system/*.rs",
        f"system/Observation.rs?category={VITAL}",
    ):
        form = {"grant_type": "client_credentials", "scope": scope}
        answer = served_on_sqlite.client.post("/oauth/token", data=form, auth=("some", secret))
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")
    narrower = f"system/Observation.r?category={LABORATORY}&status=final"
    assert served_on_sqlite.token("some", secret, narrower)


@pytest.mark.parametrize("group", GROUPS, ids=["first", "second"])
@pytest.mark.parametrize("name", ["Condition", "Observation"])
def test_69_a_search_finds_what_some_sub_scope_grants_and_all_of_it(
    chart: Chart, name: str, group: dict[str, list[str]]
):
    limited, expected = chart.limited(scopes_of(group)), chart.of(name, group[name])
    for query in (f"{name}", f"{name}?patient={chart.patient}", f"{name}?_sort=-_lastUpdated",
                  f"{name}?subject:Patient.family=Ash", f"{name}?_count=1",
                  f"Patient/{chart.patient}/{name}", f"?_type={name}"):  # fmt: skip
        assert set(limited.ids(query)) == expected, query
    for code in group[name]:
        assert limited.ids(f"{name}?patient={chart.patient}&category={code}") == [
            chart.ids[name, code]
        ]
    answer = limited.get(f"{name}?_summary=count").json()
    assert answer["total"] == len(expected)
    posted = limited("POST", f"{name}/_search", b"patient=" + chart.patient.encode(),
                     Content_Type="application/x-www-form-urlencoded")  # fmt: skip
    assert {one["resource"]["id"] for one in posted.json()["entry"]} == expected


@pytest.mark.parametrize("group", GROUPS, ids=["first", "second"])
@pytest.mark.parametrize("name", ["Condition", "Observation"])
def test_70_what_matches_is_read_and_what_does_not_is_as_if_it_were_not(
    chart: Chart, name: str, group: dict[str, list[str]]
):
    limited, granted = chart.limited(scopes_of(group)), chart.of(name, group[name])
    unknown = limited.get(f"{name}/{'0' * 32}")
    for (kind, _), one in chart.ids.items():
        if kind != name:
            continue
        for path in (f"{name}/{one}", f"{name}/{one}/_history/1", f"{name}/{one}/_history"):
            answer = limited.get(path)
            assert answer.status_code == (200 if one in granted else 404), path
            if one not in granted:
                assert answer.json() == unknown.json()
        known = limited.get(f"{name}/{one}", If_None_Match='W/"1"')
        assert known.status_code == (304 if one in granted else 404)


def test_71_a_scope_of_the_well_known_document_has_the_form_and_introspection_is_named(
    served_on_sqlite: Served,
):
    found = served_on_sqlite.client.get("/fhir/.well-known/smart-configuration").json()
    form = re.compile(
        r"^(patient|user|system|\*)/([a-zA-Z*]+)\.([cruds]+)(\?\w+=[^\s&]+(&\w+=[^\s&]+)*)?$"
    )
    assert sum(bool(form.match(scope)) for scope in found["scopes_supported"]) > 5
    assert f"system/Observation.rs?category={LABORATORY}" in found["scopes_supported"]
    assert isinstance(found["introspection_endpoint"], str)
    assert "permission-v2" in found["capabilities"]
    assert all(f"category={code}" in " ".join(SCOPES) for group in GROUPS
               for codes in group.values() for code in codes)  # fmt: skip


def some(chart: Chart, letters: str = "rs", more: str = "") -> Client:
    """A token for Patients and laboratory Observations."""
    scope = f"system/Patient.rs system/Observation.{letters}?category={LABORATORY} {more}"
    return chart.limited(scope.strip())


def test_a_token_of_another_letter_or_type_is_refused_not_filtered(chart: Chart):
    limited = some(chart, "s")
    refused(limited.get(f"Observation/{chart.ids['Observation', LABORATORY]}"), 403, "forbidden")
    refused(limited.get("Condition"), 403, "forbidden")
    refused(limited.get("Condition?_has:Observation:focus:status=final"), 403, "forbidden")


def test_letters_have_queries_of_their_own(chart: Chart):
    limited = chart.limited(
        f"system/Observation.r?category={LABORATORY} system/Observation.s?category={VITAL}"
    )
    laboratory, vital = (chart.ids["Observation", one] for one in (LABORATORY, VITAL))
    assert limited.ids("Observation") == [vital]
    assert limited.get(f"Observation/{laboratory}").status_code == 200
    assert limited.get(f"Observation/{vital}").status_code == 404


def test_a_scope_for_the_whole_type_beside_it_grants_the_whole_type(chart: Chart):
    for wide in ("system/Observation.read", "system/*.rs"):
        found = some(chart, "rs", wide).ids(f"Observation?patient={chart.patient}")
        assert len(found) == len(OBSERVATIONS) + 1


def test_a_wildcard_takes_parameters_that_every_type_has(chart: Chart):
    tagged = {"meta": {"tag": [{"system": "urn:tag", "code": "shared"}]}}
    mine = chart.client.made(observation(chart.patient, **tagged))["id"]
    also = chart.client.made(condition(chart.patient, **tagged))["id"]
    limited = chart.limited("system/*.rs?_tag=urn:tag|shared")
    assert set(limited.ids("?_type=Observation,Condition")) == {mine, also}
    assert limited.ids("Patient") == []
    assert {e["id"] for e in limited.resources("_history")} == {mine, also}


def test_values_are_decoded_joined_by_or_and_parameters_by_and(sender: Client):
    names = ["Ann Lee", "Ann, Lee", "Änne"]
    ids = {name: sender.patient(name=[{"family": name}]) for name in names}
    for query, expected in (
        ("family:exact=Ann%20Lee", {"Ann Lee"}),
        ("family:exact=Ann%5C,%20Lee", {"Ann, Lee"}),
        ("family:exact=Ann%20Lee,%C3%84nne", {"Ann Lee", "Änne"}),
        ("family=ann&gender=female", {"Ann Lee", "Ann, Lee", "Änne"}),
        ("family=ann&gender=male", set()),
        ("family:exact=%C3%84nne&gender=female,male", {"Änne"}),
    ):
        found = sender.limited(f"system/Patient.rs?{query}").ids("Patient")
        assert set(found) == {ids[name] for name in expected}, query


def test_a_reference_in_a_scope_is_one_of_the_caller(chart: Chart):
    other = chart.client.patient()
    theirs = chart.client.made(observation(other))["id"]
    for value in (f"patient={other}", f"subject=Patient/{other}", f"patient.x={other}"):
        found = chart.limited(f"system/Observation.rs?{value}").ids("Observation")
        assert found == ([] if "." in value else [theirs])  # what is not executed grants nothing


def test_a_chain_passes_through_what_is_granted_alone(chart: Chart):
    laboratory, vital = (chart.ids["Observation", one] for one in (LABORATORY, VITAL))
    derived = {
        one: chart.client.made(
            observation(chart.patient, derivedFrom=[{"reference": f"Observation/{one}"}],
                        category=category(LABORATORY))
        )["id"]
        for one in (laboratory, vital)
    }  # fmt: skip
    limited = some(chart)
    assert limited.ids("Observation?derived-from:Observation.status=final") == [derived[laboratory]]
    assert limited.ids("Observation?derived-from:Observation.code:missing=true") == []


def test_a_reverse_chain_passes_through_what_is_granted_alone(chart: Chart):
    limited = some(chart)
    ask = "Patient?_has:Observation:patient:category="
    assert limited.ids(ask + LABORATORY) == [chart.patient]
    assert limited.ids(ask + VITAL) == []
    total = limited.get(f"{ask}{VITAL}&_summary=count").json()["total"]
    assert total == 0


def test_only_what_is_granted_is_brought_along(chart: Chart):
    laboratory, vital = (chart.ids["Observation", one] for one in (LABORATORY, VITAL))
    members = [{"reference": f"Observation/{one}"} for one in (laboratory, vital)]
    panel = chart.client.made(
        observation(chart.patient, hasMember=members, category=category(LABORATORY))
    )["id"]
    limited = some(chart)
    found = limited.resources(f"Observation?_id={panel}&_include=Observation:has-member")
    assert {one["id"] for one in found} == {panel, laboratory}
    found = limited.resources("Patient?_revinclude=Observation:patient")
    assert {one["id"] for one in found} == {chart.patient, laboratory, panel}
    found = chart.limited(
        "system/Observation.s system/Patient.r?family=Nobody system/Observation.r?code=x"
    ).resources("Observation?_include=Observation:patient")
    assert {one["resourceType"] for one in found} == {"Observation"}
    found = chart.limited("system/Observation.s system/Patient.r?family=Ash").resources(
        f"Observation?_id={panel}&_include=Observation:patient&_include:iterate=Observation:subject"
    )
    assert {one["id"] for one in found} == {panel, chart.patient}


def test_a_page_is_full_of_what_is_granted_and_its_link_is_bound_to_the_scopes(chart: Chart):
    for _ in range(3):
        chart.client.made(observation(chart.patient, category=category(LABORATORY)))
        chart.client.made(observation(chart.patient, category=category(VITAL)))
    limited = some(chart)
    page = limited.get("Observation?_count=3&_total=accurate").json()
    assert (len(page["entry"]), page["total"]) == (3, 4)
    link = next(one["url"] for one in page["link"] if one["relation"] == "next")
    assert len(limited.get(link).json()["entry"]) == 1
    refused(some(chart, "rs", "system/Task.rs").get(link), 400)


def with_history(chart: Chart) -> str:
    """A laboratory Observation that once was a vital sign, and once more had no value."""
    made = chart.client.made(observation(chart.patient, category=category(LABORATORY)))
    body = {**made, "category": category(VITAL)}
    assert chart.client.put(body).status_code == 200
    body = {**made, "valueQuantity": {"value": 1}}
    assert chart.client.put(body).status_code == 200
    return str(made["id"])


@pytest.mark.parametrize("count", [1, 2, 20])
def test_a_version_is_shown_if_it_matches_and_the_current_one_does(chart: Chart, count: int):
    one = with_history(chart)
    limited = some(chart)
    versions = [each["meta"]["versionId"] for each in limited.resources(
        f"Observation/{one}/_history?_count={count}")]  # fmt: skip
    assert versions == ["3", "1"]
    assert limited.get(f"Observation/{one}/_history/1").status_code == 200
    missing = refused(limited.get(f"Observation/{one}/_history/2"), 404, "not-found")
    assert missing == refused(limited.get(f"Observation/{one}/_history/9"), 404, "not-found")
    for path in ("Observation/_history", "_history?_sort=_lastUpdated"):
        separator = "&" if "?" in path else "?"
        found = limited.resources(f"{path}{separator}_count={count}")
        mine = [each["meta"]["versionId"] for each in found if each["id"] == one]
        assert sorted(mine) == ["1", "3"]
    was = chart.limited(f"system/Observation.rs?category={VITAL}")
    assert was.get(f"Observation/{one}/_history/2").status_code == 404
    assert one not in {each["id"] for each in was.resources("Observation/_history")}


def test_pages_of_a_history_are_as_full_as_what_is_granted(chart: Chart):
    one = with_history(chart)
    page = some(chart).get("Observation/_history?_count=2").json()
    assert [each["resource"]["id"] for each in page["entry"]] == [one, one]


def test_what_was_deleted_is_gone_for_whom_some_is_granted(chart: Chart):
    one = chart.ids["Observation", LABORATORY]
    assert chart.client.delete(f"Observation/{one}").status_code == 204
    assert chart.client.get(f"Observation/{one}").status_code == 410
    for query in (f"category={LABORATORY}", f"category:not={VITAL}", "category:missing=true"):
        limited = chart.limited(f"system/Observation.rs?{query}")
        for path in (f"Observation/{one}", f"Observation/{one}/_history"):
            refused(limited.get(path), 404, "not-found")
        shown = [each.get("resource", {}).get("id") for each in limited.get(
            "Observation/_history").json().get("entry", [])]  # fmt: skip
        assert None not in shown


def test_everything_has_what_is_granted(chart: Chart):
    kinds = {one["id"] for one in some(chart).resources(f"Patient/{chart.patient}/$everything")}
    assert kinds == {chart.patient, chart.ids["Observation", LABORATORY]}
    narrowed = chart.limited("system/Patient.r?family=Nobody system/Observation.r")
    refused(narrowed.get(f"Patient/{chart.patient}/$everything"), 404, "not-found")


def test_everything_brings_along_what_granted_resources_refer_to(chart: Chart):
    places = []
    for code in (LABORATORY, VITAL):
        org = chart.client.get("Organization?_sort=-_lastUpdated&_count=1").json()["entry"][0]
        places.append(org["resource"]["id"])
        performer = [{"reference": f"Organization/{places[-1]}"}]
        chart.client.made(observation(chart.patient, category=category(code), performer=performer))
    path, kinds = f"Patient/{chart.patient}/$everything?start=2000-01-01", "system/Organization.r"
    found = some(chart, "rs", kinds).resources(path)
    assert places[0] in {one["id"] for one in found}
    nothing = chart.limited(f"system/Patient.r system/Observation.r?category=x {kinds}")
    assert {one["id"] for one in nothing.resources(path)} == {chart.patient}
    other = some(chart, "rs", "system/Organization.r?name=Nothing-so-named").resources(path)
    assert places[0] not in {one["id"] for one in other}


def test_lastn_and_match_find_what_is_granted(chart: Chart):
    found = some(chart).resources(f"Observation/$lastn?patient={chart.patient}")
    assert [one["id"] for one in found] == [chart.ids["Observation", LABORATORY]]
    body = {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": person()}]}
    for scope, count in (("family=Ash", 1), ("family=Nobody", 0)):
        answer = chart.limited(f"system/Patient.s?{scope}").post(body, "Patient/$match")
        assert answer.json()["total"] == count


def test_validate_judges_what_is_granted_alone(chart: Chart):
    limited = some(chart, "rud")
    unknown = limited.post(None, f"Observation/{'0' * 32}/$validate?mode=delete")
    vital, laboratory = (chart.ids["Observation", one] for one in (VITAL, LABORATORY))
    hidden = limited.post(None, f"Observation/{vital}/$validate?mode=delete")
    assert hidden.json() == unknown.json()
    allowed = limited.post(None, f"Observation/{laboratory}/$validate?mode=delete").json()
    assert [each["severity"] for each in allowed["issue"]] == ["information"]
    refused(limited.get(f"Observation/{vital}/$validate"), 404, "not-found")
    assert limited.get(f"Observation/{laboratory}/$validate").status_code == 200


def test_terminology_is_asked_by_id_where_some_is_granted(chart: Chart):
    limited = chart.limited("system/ValueSet.r?url=urn:x system/CodeSystem.r?url=urn:x")
    sets, systems = "ValueSet/$expand?url=urn:x", "CodeSystem/$validate-code?url=urn:x&code=a"
    for path in (sets, "ValueSet/$validate-code?url=urn:x&code=a&system=b", systems):
        refused(limited.get(path), 403, "forbidden")
    refused(limited.get("ValueSet/x/$expand"), 404, "not-found")


def test_a_bundle_reads_entry_by_entry(chart: Chart):
    urls = [f"Observation/{chart.ids['Observation', one]}" for one in (LABORATORY, VITAL)]
    urls += ["Observation?_summary=count", "Condition"]
    entries = [{"request": {"method": "GET", "url": url}} for url in urls]
    for kind in ("batch", "transaction"):
        body = {"resourceType": "Bundle", "type": kind, "entry": entries}
        answer = some(chart)("POST", WHOLE, body).json()
        statuses = [one["response"]["status"][:3] for one in answer["entry"]]
        assert statuses == ["200", "404", "200", "403"]
        assert answer["entry"][2]["resource"]["total"] == 1


def test_a_search_of_several_types_has_its_values_counted_together(chart: Chart):
    tags = "&".join(f"_tag={','.join(f'{n}.{m}' for m in range(400))}" for n in range(3))
    headers = {"Content_Type": "application/x-www-form-urlencoded"}
    one = chart.client("POST", "Observation/_search", tags.encode(), **headers)
    assert one.status_code == 200
    answer = chart.client("POST", "_search", tags.encode(), **headers)
    assert refused(answer, 400)["diagnostics"] == "more than 30000 values"


def test_a_deletion_between_versions_is_told_to_those_of_the_whole_type_alone(chart: Chart):
    body = observation(chart.patient, category=category(LABORATORY), id="again")
    assert chart.client.put(body).status_code == 201
    assert chart.client.delete("Observation/again").status_code == 204
    assert chart.client.put(body).status_code == 201
    refused(chart.client.get("Observation/again/_history/2"), 410, "deleted")
    limited = some(chart)
    refused(limited.get("Observation/again/_history/2"), 404, "not-found")
    versions = [one["meta"]["versionId"] for one in limited.resources("Observation/again/_history")]
    assert versions == ["3", "1"]
