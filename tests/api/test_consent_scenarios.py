"""The consent scenarios: as pure decisions, as explained, and as what the hospital reads."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from service.commands import RecordResponse
from service.handlers import execute
from service.instruments import instrument
from service.models.connections import Connection, ConsentAuthority, ConsentPolicy
from service.models.consents import Category
from service.models.groups import Sensitivity
from service.models.patients import Patient
from service.models.provisions import Provision
from service.models.purposes import Purpose
from service.smart.clients import NewClient, add_client
from service.smart.tokens import Grant, issue
from tests import world
from tests.api.sent_consents import consent as sent_consent
from tests.api.sent_consents import rule
from tests.api.v1.programme import Api, open_api
from tests.consent_scenarios import (
    NAMES,
    NOW,
    PAGE,
    SCENARIOS,
    asked,
    decided,
    labelled,
    moments,
    page,
    root,
)

Json = dict[str, Any]
TYPE = {
    "enrollment": "EpisodeOfCare",
    "attendance": "Appointment",
    "scores": "Observation",
    "answers": "QuestionnaireResponse",
    "alerts": "Flag",
}
each_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=NAMES)


@each_scenario
def test_a_scenario_is_decided_as_it_says(scenario: Json):
    found = decided(scenario)
    paths = [each.path for each in found.decided_by]
    expected = (scenario["given"], scenario["rule"], scenario.get("by", []))
    assert (found.given, found.rule.value, paths) == expected


def test_there_are_sixty_and_each_is_told_apart():
    assert len(SCENARIOS) >= 60
    assert len(set(NAMES)) == len({each["situation"] for each in SCENARIOS}) == len(SCENARIOS)
    assert all(asked(each["ask"]) for each in SCENARIOS)


def test_the_documentation_shows_every_scenario():
    assert PAGE.read_text() == page(), "run python -m tests.consent_scenarios"


@pytest.fixture(scope="module")
def api(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One application for all scenarios, each with a hospital of its own."""
    folder = tmp_path_factory.mktemp("scenarios")
    file = folder / "alongside.db"
    file.write_bytes(sqlite_template.read_bytes())
    with open_api(f"sqlite:///{file}", folder) as opened:
        yield opened


@dataclass
class Scene:
    """A hospital, and a person of whom there is everything that may be asked for."""

    api: Api
    hospital: Connection
    person: Patient

    def fhir(
        self, method: str, path: str, purpose: Purpose = Purpose.TREATMENT, **more: Any
    ) -> Any:
        headers = {"Content-Type": "application/fhir+json"}
        token = self.token(purpose)
        return self.api.call(method, f"/fhir/{path}", token=token, headers=headers, **more)

    def token(self, purpose: Purpose) -> str:
        """A token of a client of the hospital that reads for this purpose."""

        def work(session: Session) -> str:
            new = NewClient(
                name=f"scene-{next(world.numbers)}",
                scopes=("system/*.cruds",),
                connection_id=self.hospital.id,
                ceiling="V",  # type: ignore[arg-type]
                purpose=purpose,
            )
            client, _ = add_client(session, new)
            return issue(session, client, Grant(scope="system/*.cruds", seconds=3600), world.now())

        return self.api.database.unit_of_work(work)

    def resources(self, kind: str, purpose: Purpose) -> list[Json]:
        found = self.fhir("GET", kind, purpose).json()
        return [each["resource"] for each in found.get("entry", [])]


def scene(api: Api, scenario: Json) -> Scene:
    database, ask = api.database, scenario["ask"]
    policy = ConsentPolicy(scenario.get("policy", "opt-in"))
    hospital = world.hospital(database, f"Scenario {scenario['id']}", policy)
    person = world.patient(database)
    if scenario.get("linked", True):
        world.link(database, person, hospital)
    kind, part2 = Sensitivity(ask.get("group", "mental-health")), ask.get("part2", False)
    circle = world.group(database, sensitivity=kind, part2=part2)
    world.enroll(database, person, circle)
    world.attend(database, world.session(database, circle), person)
    if ask.get("form") == "gad-7":
        answers = {item.link_id: 1 for item in instrument("gad-7", "1.0.0").items}
        told = {"instrument": "gad-7", "answers": answers, "authored": world.now()}
        execute(database, RecordResponse(patient_id=person.id, **told))
    elif ask["category"] in {"scores", "answers", "alerts"}:
        world.respond(database, person, world.phq9(item9=1))
    return Scene(api, hospital, person)


def say(here: Scene, said: Json) -> None:
    """Record a consent at /v1, or send it; then what became of it."""
    if "sent" in said:
        send(here, said)
        return
    body = {**terms(said), "connection_id": str(here.hospital.id)}
    made = here.api.post(f"/v1/patients/{here.person.id}/consents", body)
    assert made.status_code == 201, made.text
    path = f"/v1/consents/{made.json()['id']}"
    if "then" in said:
        assert here.api.post(f"{path}/amend", terms(said["then"])).status_code == 200
    if said.get("withdrawn"):
        assert here.api.post(f"{path}/withdraw").status_code == 200


TERMS = ("decision", "category", "categories", "purposes", "labels")
FLAGS = ("covers_part2", "shows_group_name")


def terms(said: Json) -> Json:
    """What /v1 takes for a consent or an exception."""
    found = {name: said[name] for name in (*TERMS, *FLAGS) if name in said}
    found |= {name: at.isoformat() for name, at in moments(said, world.now(), None).items()}
    if "except" in said:
        found["provisions"] = [terms(each) for each in said["except"]]
    return found


def send(here: Scene, said: Json) -> None:
    database = here.api.database
    world.consent(database, here.person, here.hospital, [Category.SUMMARY])  # to know the Patient

    def authority(session: Session) -> None:
        row = session.get_one(Connection, here.hospital.id)
        row.authority = ConsentAuthority(said["sent"])

    database.unit_of_work(authority)
    (patient,) = here.resources("Patient", Purpose.TREATMENT)
    (organization,) = here.resources("Organization?name=Hospital", Purpose.TREATMENT)
    provision = sent_rule(root(said, NOW))
    body = sent_consent(patient["id"], organization["id"], provision)
    made = here.fhir("POST", "Consent", json=body)
    assert made.status_code == 201, made.text
    if said.get("withdrawn"):
        gone = {**made.json(), "status": "inactive"}
        assert here.fhir("PUT", f"Consent/{gone['id']}", json=gone).status_code == 200
    if "settled" in said:
        (waiting,) = [
            each
            for each in here.api.get("/v1/consents?standing=pending&limit=200").json()["items"]
            if each["patient_id"] == str(here.person.id)
        ]
        path = f"/v1/consents/{waiting['id']}/{said['settled']}"
        assert here.api.post(path).status_code == 200


def sent_rule(said: Provision) -> Json:
    kinds = {"code": said.categories, "purpose": said.purposes, "securityLabel": said.labels}
    listed = {name: sorted(codes) for name, codes in kinds.items() if codes}
    return rule(said.decision.value, *map(sent_rule, said.provisions), **listed)


def is_read(here: Scene, scenario: Json) -> bool:
    ask = scenario["ask"]
    found = here.resources(TYPE[ask["category"]], Purpose(ask.get("purpose", "TREAT")))
    if ask.get("name"):
        return any("HealthcareService/" in str(each) for each in found)
    return any(ask["category"] != "scores" or "valueQuantity" in each for each in found)


@each_scenario
def test_a_scenario_is_explained_and_read_as_it_says(api: Api, scenario: Json):
    here = scene(api, scenario)
    for said in scenario["said"]:
        say(here, said)
    assert is_read(here, scenario) is scenario["given"]
    ask, label = scenario["ask"], labelled(scenario["ask"])
    asked_for = {
        "patient_id": str(here.person.id),
        "connection_id": str(here.hospital.id),
        "category": ask["category"],
        "purpose": ask.get("purpose", "TREAT"),
        "part2": label.part2,
        "group_name": ask.get("name", False),
        "label": [label.confidentiality.value, *filter(None, [label.sensitivity])],
    }
    answer = api.get("/v1/consents/explain", params=asked_for)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    paths = [each["path"] for each in told["decided_by"]]
    expected = (scenario["given"], scenario["rule"], scenario.get("by", []))
    assert (told["given"], told["rule"], paths) == expected
    assert told["sentence"] == decided(scenario).sentence.replace(
        "the hospital", here.hospital.name
    )
