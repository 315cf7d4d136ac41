"""A made-up questionnaire, added by its data file alone: served, answered, scored and rendered."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api.bootstrap import NotInstalledError, install, require_instruments
from api.cli import cli
from fhir_mappings.structure import validate
from service import instruments
from service.commands import MeasurementPlan
from service.settings import Settings
from tests import world
from tests.api.served import Served, serve
from tests.service.instrument_files import GARDEN, garden

URL = GARDEN["url"]
ANSWER = "https://alongside.example/fhir/CodeSystem/instrument-answer"
SCOPES = "system/*.cruds"


@dataclass
class Garden:
    """The application after `alongside instruments add`, with a hospital and a patient of it."""

    served: Served
    added: str

    def __post_init__(self) -> None:
        database = self.served.context.database
        hospital = world.hospital(database)
        self.person = world.linked(database, hospital)
        secret = self.served.secret("operator", "v1.read v1.write")
        self.operator = self.served.token("operator", secret, "v1.read v1.write")
        secret = self.served.secret("ehr", SCOPES, hospital.id)
        self.hospital = self.served.token("ehr", secret, SCOPES)

    def call(self, method: str, path: str, token: str, body: Any = None) -> Any:
        kind = "application/fhir+json" if path.startswith("/fhir") else "application/json"
        headers = {"Authorization": f"Bearer {token}", "Content-Type": kind}
        answer = self.served.client.request(method, path, headers=headers, json=body)
        assert answer.status_code < 400, answer.text
        return answer.json() if answer.content else None

    def fhir(self, path: str) -> list[dict[str, Any]]:
        bundle = self.call("GET", f"/fhir/{path}", self.hospital)
        return [entry["resource"] for entry in bundle.get("entry", [])]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    where = tmp_path / "instruments"
    monkeypatch.setenv("ALONGSIDE_INSTRUMENTS_FOLDER", str(where))
    yield where
    monkeypatch.undo()
    instruments.forget()


def add(url: str, file: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("ALONGSIDE_DATABASE_URL", url)
    return CliRunner().invoke(cli, ["instruments", "add", str(file)])


@pytest.fixture
def there(
    sqlite_url: str, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Garden]:
    install(Settings(database_url=sqlite_url))
    (tmp_path / "garden.json").write_text(garden())
    said = add(sqlite_url, tmp_path / "garden.json", monkeypatch)
    assert said.exit_code == 0, said.output
    assert (folder / "garden-1.0.0.json").exists()
    instruments.forget()  # as the next start does
    with serve(sqlite_url, tmp_path) as served:
        yield Garden(served, said.output)


def response(patient: str, **answers: int) -> dict[str, Any]:
    items = [
        {
            "linkId": f"/garden/{name[1:]}",
            "answer": [{"valueCoding": {"system": ANSWER, "code": f"garden.0-2.{value}"}}],
        }
        for name, value in answers.items()
    ]
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": f"{URL}|1.0.0",
        "status": "completed",
        "authored": "2026-01-06T12:00:00Z",
        "subject": {"reference": f"Patient/{patient}"},
        "item": items,
    }


def test_a_data_file_alone_makes_a_questionnaire(there: Garden) -> None:
    assert "Garden scale 1.0.0 is added" in there.added
    (form,) = there.fhir(f"Questionnaire?url={URL}")
    assert validate(form) == []
    assert (form["title"], form["status"]) == ("Garden scale", "active")
    third = form["item"][3]
    asked = {"question": "/garden/1", "operator": "!="}
    coding = {"system": ANSWER, "code": "garden.0-2.0", "display": "Never"}
    assert third["enableWhen"] == [{**asked, "answerCoding": coding}]
    turned = [each["extension"][0]["valueDecimal"] for each in form["item"][2]["answerOption"]]
    assert turned == [2, 1, 0]
    listed = there.call("GET", "/v1/instruments?limit=100", there.operator)["items"]
    assert "garden" in [each["id"] for each in listed]


def test_it_is_answered_scored_and_rendered_by_either_way(there: Garden) -> None:
    person = str(there.person.id)
    body = {
        "instrument": "garden",
        "answers": {"/garden/1": 2, "/garden/2": 1},
        "authored": "2026-01-05T12:00:00Z",
    }
    made = there.call("POST", f"/v1/patients/{person}/responses", there.operator, body)
    assert (made["total"], made["band"], made["scores"]) == (3, "outdoors", {"double": 18})
    (patient,) = there.fhir("Patient")
    there.call(
        "POST", "/fhir/QuestionnaireResponse", there.hospital, response(patient["id"], n1=0, n2=2)
    )
    found = {
        (each["effectiveDateTime"][:10], each["code"]["text"]): each
        for each in there.fhir(f"Observation?patient={patient['id']}&_count=50")
    }
    totals = [found[day, "Garden total"] for day in ("2026-01-05", "2026-01-06")]
    assert [each["valueQuantity"]["value"] for each in totals] == [3, 0]
    assert [each["interpretation"][0]["text"] for each in totals] == ["outdoors", "indoors"]
    metric = [found[day, "Garden metric score"] for day in ("2026-01-05", "2026-01-06")]
    assert [each["valueQuantity"]["value"] for each in metric] == [18, 10.5]
    digging = found["2026-01-05", "Digging"]
    assert digging["valueCodeableConcept"]["text"] == "Often"
    panel = found["2026-01-05", "Garden scale"]
    named = {member["reference"] for member in panel["hasMember"]}
    same_day = [e for (day, _), e in found.items() if day == "2026-01-05" and e is not panel]
    assert named == {f"Observation/{each['id']}" for each in same_day}
    assert len(named) == 4
    assert all(validate(each) == [] for each in found.values())
    categories = [c["coding"][0]["code"] for each in found.values() for c in each["category"]]
    assert set(categories) == {"survey"}


def test_what_nobody_answered_has_a_reason_and_no_value(there: Garden) -> None:
    (patient,) = there.fhir("Patient")
    there.call("POST", "/fhir/QuestionnaireResponse", there.hospital, response(patient["id"], n1=1))
    found = {each["code"]["text"]: each for each in there.fhir("Observation")}
    for name in ("Garden total", "Garden metric score"):
        assert "valueQuantity" not in found[name]
        assert found[name]["dataAbsentReason"]["coding"][0]["code"] == "unknown"


def test_what_the_form_forbids_is_refused_by_its_element(there: Garden) -> None:
    (patient,) = there.fhir("Patient")
    sent = response(patient["id"], n1=0, n4=1)
    with pytest.raises(AssertionError) as caught:
        there.call("POST", "/fhir/QuestionnaireResponse", there.hospital, sent)
    assert "/garden/4 is asked only where /garden/1 != 0" in str(caught.value)
    assert "QuestionnaireResponse.item[1].answer[0]" in str(caught.value)


def test_a_safety_item_of_it_raises_an_alert(there: Garden) -> None:
    (patient,) = there.fhir("Patient")
    sent = response(patient["id"], n1=1, n3=2)
    there.call("POST", "/fhir/QuestionnaireResponse", there.hospital, sent)
    address = f"/v1/patients/{there.person.id}/responses"
    (kept,) = there.call("GET", address, there.operator)["items"]
    assert kept["alert"]["rule"] == "garden /garden/3"


def test_its_file_has_to_stay_where_it_is_read(there: Garden, folder: Path) -> None:
    (folder / "garden-1.0.0.json").unlink()
    instruments.forget()
    with pytest.raises(NotInstalledError, match=r"no definition of garden 1\.0\.0"):
        require_instruments(there.served.context.database)


def test_a_licensed_copy_is_served_with_its_words(there: Garden, tmp_path: Path) -> None:
    source = Path(instruments.__file__).with_name("isi.json")
    data = json.loads(source.read_text())
    for item in data["items"]:
        item["text"] = f"Licensed words of item {item['number']}"
    (tmp_path / "isi.json").write_text(json.dumps(data | {"gaps": []}))
    assert (
        CliRunner().invoke(cli, ["instruments", "add", str(tmp_path / "isi.json")]).exit_code == 0
    )
    (form,) = there.fhir("Questionnaire?name=InsomniaSeverity")
    assert (form["status"], form["meta"]["versionId"]) == ("active", "2")
    assert form["item"][0]["text"] == "Licensed words of item 1"


def test_a_wrong_file_is_refused_and_nothing_is_served(
    sqlite_url: str, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "garden.json").write_text(garden(scores=[]))
    said = add(sqlite_url, tmp_path / "garden.json", monkeypatch)
    assert said.exit_code == 1
    assert "it has no score" in str(said.exception)
    assert not folder.exists()


def test_the_list_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    said = CliRunner().invoke(cli, ["instruments", "list"]).output
    for form in instruments.shipped():
        assert form.id in said
    assert "Add your licensed copy" in said


def test_check_names_every_fault_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "garden.json"
    file.write_text(garden(panel="44249-2", version="new"))
    said = CliRunner().invoke(cli, ["instruments", "check", str(file)])
    assert "44249-2 has a wrong check digit" in str(said.exception)
    assert "its version must be numbers" in str(said.exception)
    file.write_text(garden())
    assert (
        "Garden scale 1.0.0 is right"
        in CliRunner().invoke(cli, ["instruments", "check", str(file)]).output
    )


def test_it_has_progress_a_plan_and_a_chart(there: Garden) -> None:
    person, database = str(there.person.id), there.served.context.database
    plan = MeasurementPlan(instrument="garden", every_weeks=1)
    circle = world.group(database, instruments=("garden",), measurement=(plan,))
    world.enroll(database, there.person, circle, start=world.now() - timedelta(days=10))
    for day, answers in ((10, {"/garden/1": 0, "/garden/2": 2}), (1, {"/garden/1": 2})):
        body = {
            "instrument": "garden",
            "answers": {"/garden/2": 0, **answers},
            "authored": (world.now() - timedelta(days=day)).isoformat(),
        }
        there.call("POST", f"/v1/patients/{person}/responses", there.operator, body)
    address = f"/v1/patients/{person}/progress"
    found = there.call("GET", f"{address}?instrument=garden", there.operator)["items"]
    total, metric = found
    assert [each["value"] for each in total["points"]] == [0, 4]
    assert [each["band"] for each in total["points"]] == ["indoors", "outdoors"]
    assert [(f["rule"], f["result"]) for f in total["findings"]] == [("important-2-points", "met")]
    assert total["without_rule"] == ["response", "remission", "reliable"]
    assert total["asked"] == {"due": 2, "answered": 2, "overdue": 0, "missed": 0}
    assert (metric["findings"], metric["last"]["from_baseline"]) == ([], 10)
    headers = {"Authorization": f"Bearer {there.operator}"}
    drawn = there.served.client.get(f"{address}.svg?instrument=garden", headers=headers)
    assert "Garden scale: Garden total" in drawn.text
    assert "outdoors 2 to 4" in drawn.text
    picture = there.served.client.get(f"{address}.png?instrument=garden", headers=headers)
    assert picture.content.startswith(b"\x89PNG")
    (patient,) = there.fhir("Patient")
    told = there.call("GET", f"/fhir/Patient/{patient['id']}/$progress", there.hospital)
    named = [part["valueCode"] for each in told["parameter"] for part in each["part"]
             if part["name"] == "score"]  # fmt: skip
    assert named == ["total", "double"]
