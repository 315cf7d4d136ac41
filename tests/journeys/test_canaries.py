"""Words that stand in one person's record alone are looked for where no record may stand.

A served process is told of somebody, and asked for her wrongly in every way that its own
description knows; then its log, metrics, events and every refusal are read.
https://hl7.org/fhir/R4/security.html
"""

import json
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from api.demo.load import load
from api.demo.scenario import make_plan
from service.audit import prepare
from service.clock import system_clock
from service.models.connections import Confidentiality
from service.smart.clients import NewClient, add_client
from service.smart.tokens import Grant, issue
from tests import world
from tests.conftest import open_database
from tests.process import Process, process

FAMILY, GIVEN, MRN = "Zanzibarquince", "Oudenaardeplum", "MRN7788canary"
PHONE, LINE, EMAIL = "+1-555-0199-9931", "77 Kumquatcanary Lane", "quincecanary@example.org"
ANSWER = "Marigoldcanary keeps me awake"
CANARIES = (FAMILY, GIVEN, MRN, PHONE, LINE, EMAIL, ANSWER)
SCOPES = "v1.read v1.write system/*.cruds"
WRONG = {"string": FAMILY, "integer": MRN, "number": MRN, "boolean": LINE, "array": EMAIL}


@dataclass
class Told:
    """A served process with the tokens of the programme and of a hospital."""

    process: Process
    said: Path
    database: Path
    programme: str
    hospital: str
    connection: str
    refusals: list[str] = field(default_factory=list)

    def call(self, method: str, path: str, token: str | None = None, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {token or self.programme}"}
        answer = self.process.http.request(method, path, headers=headers, **more)
        assert answer.status_code < 500, (method, path, answer.text)
        if answer.status_code >= 400:
            self.refusals.append(answer.text)
        return answer

    def post(self, path: str, body: Any) -> dict[str, Any]:
        answer = self.call("POST", path, json=body)
        assert answer.status_code in (200, 201), answer.text
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture
def told(sqlite_url, tmp_path) -> Iterator[Told]:
    database = open_database(sqlite_url)
    load(database, make_plan(datetime.now(UTC).date(), persons=16))
    connection = world.hospital(database)

    def work(session) -> list[str]:
        wanted = (("told-programme", None), ("told-ehr", connection.id))
        found = []
        for name, of in wanted:
            scopes = SCOPES if of is None else "system/*.cruds"
            new = NewClient(
                name=name,
                scopes=tuple(scopes.split()),
                connection_id=of,
                ceiling=Confidentiality.VERY_RESTRICTED,
                roster_role=True,
            )
            client, _ = add_client(session, new)
            found.append(issue(session, client, Grant(scope=scopes, seconds=3600), system_clock()))
        return found

    tokens = database.unit_of_work(work)
    database.close()
    audit = f"sqlite:///{tmp_path / 'audit.db'}"
    prepare(audit)
    said = tmp_path / "said.log"
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    with process(sqlite_url, audit, said=said, log_level="debug", log_format="json") as running:
        yield Told(running, said, file, *tokens, str(connection.id))


def tell(told: Told) -> str:
    """Tell the service of a person, as the programme and as the hospital; return her id."""
    person = told.post(
        "/v1/patients",
        {"family": FAMILY, "given": GIVEN, "phone": PHONE, "email": EMAIL, "gender": "female"},
    )["id"]
    link = {"connection_id": told.connection, "ehr_patient_id": MRN, "mrn": MRN}
    told.post(f"/v1/patients/{person}/links", {**link, "confirmed_by": "tester"})
    for category in ("enrollment", "attendance", "scores", "alerts"):
        consent = {"connection_id": told.connection, "category": category}
        told.post(f"/v1/patients/{person}/consents", consent)
    sent = {
        "resourceType": "Patient",
        "name": [{"family": FAMILY, "given": [GIVEN]}],
        "identifier": [{"system": "urn:mrn:A", "value": MRN}],
        "address": [{"line": [LINE]}],
    }
    answer(told, send(told, sent)["id"])
    found: str = person
    return found


def send(told: Told, resource: dict[str, Any]) -> dict[str, Any]:
    """Send a resource as the hospital; return it as it was kept."""
    answer = told.process.http.post(
        f"/fhir/{resource['resourceType']}",
        content=json.dumps(resource),
        headers={
            "Content-Type": "application/fhir+json",
            "Authorization": f"Bearer {told.hospital}",
        },
    )
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def answer(told: Told, patient: str) -> None:
    """Answer in her own words: to a form that is kept unread, and as what was observed."""
    subject = {"reference": f"Patient/{patient}"}
    said = {"linkId": "1", "answer": [{"valueString": ANSWER}]}
    form = {"status": "completed", "questionnaire": "http://example.org/diary", "item": [said]}
    send(told, {"resourceType": "QuestionnaireResponse", "subject": subject, **form})
    code = {"text": "what was said"}
    noted = {"status": "final", "code": code, "valueString": ANSWER}
    send(told, {"resourceType": "Observation", "subject": subject, **noted})


def ask_wrongly(told: Told, person: str) -> None:
    """Each operation of `/v1` with values of the wrong kind, and searches that cannot be."""
    paths = told.process.http.get("/openapi.json").json()["paths"]
    for path, operations in paths.items():
        for method, operation in operations.items():
            if path.startswith("/v1/"):
                for body in bodies(told, operation):
                    told.call(method.upper(), filled(path, person), json=body)
    search_wrongly(told)


def search_wrongly(told: Told) -> None:
    for query in (f"family={FAMILY}", f"identifier={MRN}", f"phone={PHONE}", f"_nonsense={FAMILY}",
                  f"birthdate={FAMILY}", f"family:nonsense={FAMILY}", f"_count={MRN}"):  # fmt: skip
        for token in (told.programme, told.hospital):
            told.call("GET", f"/fhir/Patient?{query}", token)
            told.call("GET", f"/fhir/Observation?patient.{query}", token)
    for query in (f"value-string:nonsense={ANSWER}", f"_count={ANSWER}", f"date={ANSWER}"):
        told.call("GET", f"/fhir/Observation?{query}", told.hospital)
    for path in (f"/fhir/Patient/{FAMILY}", f"/fhir/{FAMILY}"):  # a problem names its address
        told.call("GET", path)


def filled(path: str, person: str) -> str:
    """The path with the person's id in each place: unknown where it asks for something else."""
    while "{" in path:
        before, _, rest = path.partition("{")
        path = before + person + rest.partition("}")[2]
    return path


def bodies(told: Told, operation: dict[str, Any]) -> Iterator[Any]:
    """What to send: nothing where nothing is taken, else her words in each field."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        yield None
        return
    schema = content["schema"]
    names = told.process.http.get("/openapi.json").json()["components"]["schemas"]
    for option in (schema, *schema.get("anyOf", ())):
        known = names.get(option.get("$ref", "").rpartition("/")[2], {})
        fields = known.get("properties", {})
        yield dict.fromkeys(fields, FAMILY)
        yield {name: WRONG.get(each.get("type", "string"), MRN) for name, each in fields.items()}
        yield {"unheard_of": MRN}
    yield [FAMILY]


def of_the_demo(file: Path) -> set[str]:
    """Numbers, addresses and whole names of the demo's people, whom the programme looks up."""
    with sqlite3.connect(file) as connection:
        rows = connection.execute(
            "SELECT phone, email, given || ' ' || family FROM patients"
            " UNION SELECT mrn, ehr_patient_id, NULL FROM links"
        ).fetchall()
    connection.close()
    return {word for row in rows for word in row if word}


def look_up(told: Told) -> None:
    found = told.call("GET", "/fhir/Patient?_count=100").json()["entry"]
    for each in (entry["resource"] for entry in found):
        number = next((one["value"] for one in each.get("identifier", ())), "none")
        told.call("GET", f"/fhir/Patient?identifier={number}&family={each['name'][0]['family']}")
        told.call("GET", f"/fhir/Patient/{each['id']}/$everything")


def test_her_words_stand_in_no_log_metric_event_or_refusal(told):
    person = tell(told)
    ask_wrongly(told, person)
    look_up(told)
    people = of_the_demo(told.database)
    assert len(people) > 32
    assert len(told.refusals) > 80
    metrics = told.process.http.get("/metrics").text
    assert "alongside_" in metrics
    with sqlite3.connect(told.database) as connection:
        events = repr(connection.execute("SELECT * FROM events").fetchall())
    connection.close()
    log = told.said.read_text(encoding="utf-8")
    assert "request.answered" in log
    for word in {*CANARIES, *people}:
        whole = re.compile(rf"(?<![\w.]){re.escape(word)}(?!\w)")  # no digits of a time
        for place in (log, metrics, events, *told.refusals):
            assert whole.search(place) is None, (word, place[-900:])
