"""Two records merged and parted over HTTP: what clients sent follows, and nobody else is told."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from service.commands import (
    CreateConnection,
    CreatePatient,
    CreateSession,
    Enroll,
    LinkPatient,
    Mark,
    MergePatients,
    RecordAttendance,
    RecordConsent,
    RecordResponse,
    UnmergePatients,
)
from service.models.consents import Category
from service.models.enrollments import AttendanceMark
from tests import sent
from tests.conftest import new_database
from tests.fresh import wrong_documents
from tests.journeys.story import BEGIN, WEEK, A, B, Step, StepClock, Told, catalogue, ids_of, tell
from tests.journeys.test_isolation import SENT, TYPES, entries, normalised, said, same_key
from tests.service.merging.scene import Scene, scene
from tests.service_at import FHIR, V1, Caller, Service, serving
from tests.world import phq9

Json = dict[str, Any]


def make(caller: Caller, resource: Json, path: str = "", status: int = 201) -> Json:
    name = resource["resourceType"]
    method, address = ("PUT", f"/fhir/{path}") if path else ("POST", f"/fhir/{name}")
    answer = caller(method, address, json=resource, headers=SENT)
    assert answer.status_code == status, answer.text
    found: Json = answer.json()
    return found


def names(caller: Caller, query: str) -> set[str]:
    return {f"{one['resourceType']}/{one['id']}" for one in entries(caller, f"/fhir/{query}")}


def known_to(caller: Caller) -> dict[str, Any]:
    """Every resource that the caller can find, as it is read, with its ETag."""
    found = [name for kind in TYPES for name in names(caller, f"{kind}?_count=200")]
    return {name: normalised(caller, f"/fhir/{name}") for name in found}


def response(patient: str, score: int = 1) -> Json:
    items = [
        {"linkId": f"/{code.removeprefix('/')}", "answer": [{"valueDecimal": value}]}
        for code, value in phq9(score).items()
    ]
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": "http://loinc.org/q/44249-1",
        "status": "completed",
        "subject": {"reference": f"Patient/{patient}"},
        "authored": "2026-01-06T15:00:00Z",
        "item": items,
    }


class Clients:
    """The two hospitals' clients and the programme's, with the Patients that each knows."""

    def __init__(self, service: Service, here: Scene) -> None:
        self.a = service.caller("client-a", FHIR, here.a)
        self.b = service.caller("client-b", FHIR, here.b)
        self.programme = service.caller("programme", FHIR)
        self.v1 = service.caller("platform", V1)
        self.here = here
        (self.at_a,) = (one["id"] for one in entries(self.a, "/fhir/Patient"))
        number = "Patient?identifier=urn:mrn:"
        (self.source,) = (one["id"] for one in entries(self.programme, f"/fhir/{number}A|"))
        (self.target,) = (one["id"] for one in entries(self.programme, f"/fhir/{number}B|"))

    def merge(self) -> str:
        source = f"/v1/patients/{self.here.source.id}"
        body = {
            "source_id": str(self.here.source.id),
            "reason": "one person",
            "source_version": self.v1.get(source).json()["version"],
        }
        made = self.v1("POST", f"/v1/patients/{self.here.target.id}/merges", json=body)
        assert made.status_code == 201, made.text
        assert self.v1.get(source).json()["merged_into_id"] == str(self.here.target.id)
        return made.headers["location"].partition("/v1/")[2]

    def undo(self, place: str) -> None:
        answer = self.v1("POST", f"/v1/{place}/undo", json={"reason": "two people"})
        assert answer.status_code == 200, answer.text


@pytest.fixture
def clients(service: Service) -> Clients:
    return Clients(service, scene(service.database))


def test_what_a_hospital_sent_stays_as_it_is_and_can_be_written_on(
    service: Service, clients: Clients
) -> None:
    a, patient = clients.a, clients.at_a
    for one in (*sent.about(patient), response(patient)):
        make(a, one)
    chosen = sent.about(patient)[1] | {"id": "own-id"}
    make(a, chosen, "Condition/own-id")
    own = {"resourceType": "Patient", "id": patient, "name": [{"family": "R", "given": ["L"]}]}
    make(a, own, f"Patient/{patient}", 200)
    before = known_to(a)
    merged = clients.merge()
    after = known_to(a)
    assert before.items() <= after.items()
    assert {name.partition("/")[0] for name in after.keys() - before.keys()} >= {
        "Encounter",
        "Flag",
    }
    make(a, chosen | {"recordedDate": "2026-02-02"}, "Condition/own-id", 200)
    make(a, own | {"gender": "female"}, f"Patient/{patient}", 200)
    since = [make(a, one) for one in (sent.about(patient)[2], response(patient, 2))]
    everything = names(a, f"Patient/{patient}/$everything?_count=200")
    new = {f"{one['resourceType']}/{one['id']}" for one in since}
    assert new | {name for name in after if name.startswith("Encounter/")} <= everything
    assert wrong_documents(service.database) == []
    clients.undo(merged)
    parted = known_to(a)
    changed = {"Condition/own-id", f"Patient/{patient}"}
    assert {k: v for k, v in before.items() if k not in changed}.items() <= parted.items()
    more = {k.partition("/")[0] for k in parted.keys() - before.keys() - new}
    assert more == {"Observation", "Flag", "Task"}  # the second response was worse than the first
    make(a, chosen, "Condition/own-id", 200)
    assert wrong_documents(service.database) == []


def of_the_programme(clients: Clients) -> dict[str, Json]:
    """What the programme's own client sends of both records, by each way to refer to them."""
    p, old, new = clients.programme, clients.source, clients.target
    base = str(p.http.base_url).rstrip("/")
    observed = {"resourceType": "Observation", "status": "final", "code": {"text": "pulse"}}
    (number,) = p.get(f"/fhir/Patient/{old}").json()["identifier"][1:]
    both = [{"entity": {"reference": f"Patient/{each}"}} for each in (old, new)]
    made = [
        *(make(p, one) for each in (old, new) for one in sent.about(each)),
        make(p, {**observed, "subject": {"reference": f"{base}/fhir/Patient/{old}"}}),
        make(p, {**observed, "subject": {"identifier": number}}),
        make(p, {**observed, "subject": {"reference": f"Patient/{old}/_history/1"}}),
        make(p, {**observed, "subject": both[1]["entity"], "performer": [both[0]["entity"]]}),
        make(p, {"resourceType": "Group", "type": "person", "actual": True, "member": both}),
    ]
    return {f"{one['resourceType']}/{one['id']}": one for one in made}


def told(one: Json) -> Json:
    """A resource without what every version has of its own."""
    meta = {k: v for k, v in one["meta"].items() if k not in {"versionId", "lastUpdated"}}
    return {**one, "meta": meta}


def test_what_the_programmes_clients_sent_refers_to_the_one_that_is_left(
    service: Service, clients: Clients
) -> None:
    p, old, new = clients.programme, clients.source, clients.target
    made = of_the_programme(clients)
    found = {each: names(p, f"Patient/{each}/$everything?_count=200") for each in (old, new)}
    compartment = names(p, f"Patient/{old}/Observation?_count=200")
    merged = clients.merge()
    own = {f"Patient/{old}", f"Patient/{new}"}
    left = names(p, f"Patient/{old}/$everything?_count=200")
    assert {name.partition("/")[0] for name in left} == {"Patient", "Organization"}
    assert names(p, f"Patient/{new}/$everything?_count=200") | own >= found[old] | found[new]
    assert compartment <= names(p, f"Patient/{new}/Observation?_count=200")
    assert names(p, f"Observation?patient={old}") == names(p, f"Observation?subject={old}") == set()
    for name in made:
        text = p.get(f"/fhir/{name}").text.replace(f"Patient/{old}/_history/1", "")
        assert f"Patient/{old}" not in text, name
    assert wrong_documents(service.database) == []
    changed, place = _refused_of_the_retired(clients, made)
    clients.undo(merged)
    for name, one in made.items():
        now = told(p.get(f"/fhir/{name}").json())
        assert now == (changed if name == place else told(one)), name
    again = {each: names(p, f"Patient/{each}/$everything?_count=200") for each in (old, new)}
    assert again == {old: found[old] - {place}, new: found[new] | {place}}
    assert wrong_documents(service.database) == []


def _refused_of_the_retired(clients: Clients, made: dict[str, Json]) -> tuple[Json, str]:
    """Write about the retired Patient in vain, then about the one that is left."""
    p, old, new = clients.programme, clients.source, clients.target
    place = next(name for name in made if name.startswith("Goal/"))
    for method, path, body in (
        ("PUT", place, made[place]),
        ("POST", "Goal", made[place]),
        ("POST", "QuestionnaireResponse", response(old)),
    ):
        answer = p(method, f"/fhir/{path}", json=body, headers=SENT)
        assert answer.status_code == 409, answer.text
        (issue,) = answer.json()["issue"]
        assert f"Patient/{new}" in issue["diagnostics"]
        assert clients.here.target.id.hex not in answer.text.replace("-", "")
    since = {"subject": {"reference": f"Patient/{new}"}, "note": [{"text": "since the merge"}]}
    body = {**made[place], **since}
    return told(make(p, body, place, 200)), place


def short_story() -> list[Step]:
    """One person known to B, and, told of only in one of two worlds, the same one known to A."""
    steps = [
        Step(name, lambda _t, n=name: CreateConnection(name=n, mrn_system=f"urn:mrn:{n}"))
        for name in (A, B)
    ]
    steps += catalogue(["mood", "grief"])
    steps += of_person("t", B, "mood", [Category.SCORES, Category.ANSWERS, Category.ALERTS])
    steps += [
        Step(f"answers {n}", lambda t, n=n: answered(t, "t", authored=BEGIN + n * WEEK))
        for n in range(2)
    ]
    source = [
        *of_person("s", A, "grief", list(Category)),
        Step("sent", lambda t: answered(t, "s", authored=BEGIN, connection_id=t.id(A))),
        Step("first", merging),
        Step("undone", lambda t: parting(t, "first")),
        Step("again", merging),
    ]
    return steps + [Step(one.name, one.make, only_b=True) for one in source]


def merging(told: Told) -> MergePatients:
    both = {"source_id": told.id("s"), "target_id": told.id("t")}
    return MergePatients(**both, merged_by="tester", reason="one person")


def parting(told: Told, name: str) -> UnmergePatients:
    return UnmergePatients(merge_id=told.id(name), undone_by="tester", reason="two people")


def answered(told: Told, name: str, **more: Any) -> RecordResponse:
    given = phq9(1, item9=1)
    return RecordResponse(patient_id=told.id(name), instrument="phq-9", answers=given, **more)


def of_person(name: str, hospital: str, group: str, shared: list[Category]) -> list[Step]:
    held = f"session of {name}"
    begin = BEGIN + WEEK
    mark = AttendanceMark.PRESENT
    return [
        Step(name, lambda _t: CreatePatient(family="Rivera", given="Lucia")),
        Step(
            f"link {name}",
            lambda t: LinkPatient(
                patient_id=t.id(name), connection_id=t.id(hospital), ehr_patient_id=name,
                mrn=f"MRN-{name}", confirmed_by="tester",
            ),
        ),
        *(
            Step(
                f"{name} {each}",
                lambda t, each=each: RecordConsent(
                    patient_id=t.id(name), connection_id=t.id(hospital), category=each,
                    recorded_by="tester",
                ),
            )
            for each in shared
        ),
        Step(
            f"enrol {name}",
            lambda t: Enroll(patient_id=t.id(name), group_id=t.id(group), start=BEGIN),
        ),
        Step(
            held,
            lambda t: CreateSession(
                group_id=t.id(group), start=begin, end=begin + timedelta(hours=1)
            ),
        ),
        Step(
            f"marks of {name}",
            lambda t: RecordAttendance(
                session_id=t.id(held), marks=(Mark(patient_id=t.id(name), mark=mark),),
                recorded_by="tester",
            ),
        ),
    ]  # fmt: skip


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def worlds(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[Caller]]:
    """Hospital B where the source was merged into its patient, and where nobody knows of it."""
    with ExitStack() as stack:
        found = []
        for without in (False, True):
            folder = tmp_path / str(without)
            folder.mkdir()
            url, clock = new_database(request.param, request, folder, stack), StepClock()
            same_key(url)
            with ids_of(0):
                service = stack.enter_context(serving(url, folder, clock))
            telling = Told(service.database, without, clock)
            tell(telling, short_story())
            found.append(service.caller("client-b", FHIR, telling.things[B]))
        yield found


def test_a_hospital_that_knew_the_target_alone_is_not_told_of_the_merge(
    worlds: list[Caller],
) -> None:
    (person,) = (one["id"] for one in entries(worlds[0], "/fhir/Patient"))
    own = [f"/fhir/{name}" for kind in TYPES for name in names(worlds[0], f"{kind}?_count=200")]
    assert len(own) > 30
    paths = [
        *(f"/fhir/{kind}{end}" for kind in TYPES for end in ("?_total=accurate", "/_history")),
        *(f"{name}{end}" for name in own for end in ("", "/_history", "/_history/1")),
        "/fhir/_history?_count=200",
        f"/fhir/Patient/{person}/$everything?_count=200",
        f"/fhir/Patient/{person}/$progress",
        f"/fhir/Patient/{person}/Observation?_sort=-date",
        "/fhir/Patient?identifier=urn:mrn:A|MRN-s",
    ]
    for path in paths:
        assert normalised(worlds[0], path) == normalised(worlds[1], path), path
    bodies = [*sent.about(person), response(person)]
    for place, body in enumerate(bodies):
        answers = []
        for b in worlds:
            with ids_of(1000 + place):
                answers.append(
                    said(b("POST", f"/fhir/{body['resourceType']}", json=body, headers=SENT))
                )
        assert answers[0] == answers[1]
