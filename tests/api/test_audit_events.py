"""FHIR AuditEvents: of whom, for whom, and in the shape that BALP gives them.

https://profiles.ihe.net/ITI/BALP/content.html
"""

import base64
from importlib import import_module
from typing import Any

import pytest
from sqlmodel import select

from service.audit.pseudonyms import forget
from service.audit.verification import verify
from service.commands import WithdrawConsent
from service.handlers import execute
from service.models.consents import Consent
from service.smart.clients import NewClient, add_client
from tests import world
from tests.api.served import Served
from tests.audited import opened_rows

BALP = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
R4 = import_module("fhir.resources.R4B.auditevent").AuditEvent


class Installation:
    """Two hospitals, of which each has a patient, an EHR and a privacy officer."""

    def __init__(self, served: Served) -> None:
        self.served = served
        database = served.context.database
        self.one, self.two = world.hospital(database, name="A"), world.hospital(database, name="B")
        self.patient = world.linked(database, self.one)
        self.other = world.linked(database, self.two)

    def caller(self, name: str, of: Any = None, *, officer: bool = False) -> dict[str, str]:
        new = NewClient(
            name=name,
            scopes=("system/*.cruds",) if of or officer else ("system/*.cruds", "v1.read"),
            connection_id=of.id if of else None,
            privacy_officer=officer,
        )
        database = self.served.context.database
        secret = database.unit_of_work(lambda session: add_client(session, new)[1])
        token = self.served.token(name, secret, "system/*.cruds")
        return {"Authorization": f"Bearer {token}"}

    def get(self, path: str, caller: dict[str, str], status: int = 200) -> Any:
        answer = self.served.client.get(f"/fhir/{path}", headers=caller)
        assert answer.status_code == status, answer.text
        return answer.json()

    def events(self, query: str, caller: dict[str, str]) -> list[dict[str, Any]]:
        bundle = self.get(f"AuditEvent?_count=200{query}", caller)
        return [each["resource"] for each in bundle.get("entry", [])]


@pytest.fixture
def installed(served: Served) -> Installation:
    return Installation(served)


def patients_of(event: dict[str, Any]) -> list[str]:
    return [
        each["what"]["reference"] for each in event["entity"] if "reference" in each.get("what", {})
    ]


def test_a_hospitals_officer_reads_of_its_own_clients_alone(installed: Installation):
    ehr, other = installed.caller("ehr-a", installed.one), installed.caller("ehr-b", installed.two)
    officer = installed.caller("officer-a", installed.one, officer=True)
    everyone = installed.caller("officer", officer=True)
    (mine,) = installed.get("Patient", ehr)["entry"]
    (theirs,) = installed.get("Patient", other)["entry"]
    found = installed.events("", officer)
    assert {each["agent"][0]["who"]["identifier"]["value"] for each in found} == {"ehr-a"}
    assert theirs["resource"]["id"] not in str(found)
    assert f"Patient/{mine['resource']['id']}" in str(found)
    assert {"ehr-a", "ehr-b"} <= {
        each["agent"][0]["who"].get("identifier", {}).get("value")
        for each in installed.events("", everyone)
    }
    (event,) = installed.events("&type=rest&agent-name=ehr-b", everyone)
    installed.get(f"AuditEvent/{event['id']}", officer, 404)
    assert installed.get(f"AuditEvent/{event['id']}", everyone) == event


def test_nobody_else_reads_them(installed: Installation):
    for caller in (installed.caller("ehr-a", installed.one), installed.caller("programme")):
        installed.get("AuditEvent", caller, 403)
        installed.get("AuditEvent/1", caller, 403)
    assert installed.served.client.get("/fhir/AuditEvent").status_code == 401


def test_a_read_and_a_search_are_patterns_of_balp(installed: Installation):
    ehr = installed.caller("ehr-a", installed.one)
    officer = installed.caller("officer-a", installed.one, officer=True)
    (mine,) = installed.get("Patient?_count=5", ehr)["entry"]
    shown = f"Patient/{mine['resource']['id']}"
    installed.get(shown, ehr)
    read, search = installed.events(f"&patient={shown}", officer)
    assert read["meta"]["profile"] == [f"{BALP}PatientRead"]
    assert (read["action"], read["outcome"], read["subtype"][0]["code"]) == ("R", "0", "read")
    assert patients_of(read) == [shown, shown]
    assert search["meta"]["profile"] == [f"{BALP}PatientQuery"]
    asked = next(each["query"] for each in search["entity"] if "query" in each)
    assert base64.b64decode(asked).decode().endswith("/fhir/Patient?_count=5")
    assert installed.events(f"&patient={shown}&action=R", officer) == [read]
    assert installed.events(f"&patient={shown}&subtype=search", officer) == [search]
    assert installed.events("&patient=Patient/nobody", officer) == []
    assert installed.events("&date=lt2020-01-01", officer) == []
    assert len(installed.events(f"&patient={shown}&date=ge2020-01-01", officer)) == 2


def test_every_kind_of_event_is_well_made(installed: Installation):
    officer, ehr = installed.caller("officer", officer=True), installed.caller("ehr", installed.one)
    client = installed.served.client
    for method, path in (
        ("GET", "/fhir/Patient/unknown"), ("GET", "/fhir/Patient/x/_history"), ("GET", "/nowhere"),
        ("POST", "/fhir"), ("POST", "/fhir/Patient/_search"), ("PUT", "/fhir/Goal/a"),
        ("PATCH", "/fhir/Goal/a"), ("DELETE", "/fhir/Goal/a"), ("GET", "/v1/patients"),
        ("GET", "/fhir/Patient/x/$everything"), ("POST", "/oauth/token"), ("GET", "/fhir/metadata"),
    ):  # fmt: skip
        client.request(method, path, headers=ehr)
    found = installed.events("", officer)
    assert len(found) > 12
    for event in found:
        R4.model_validate(event)


def test_what_label_or_consent_hides_is_a_decision_that_only_the_programme_hears_of(
    installed: Installation,
):
    database = installed.served.context.database
    world.respond(database, installed.patient, {**world.phq9(1), world.PHQ9[-1]: 1})
    officers = [installed.caller("officer-a", installed.one, officer=True)]
    officers.append(installed.caller("officer", officer=True))
    ehr = installed.caller("ehr-a", installed.one)
    flag = one_of(database, installed.one.number, "Flag")
    told = installed.get(f"Flag/{flag}", ehr, 404)
    patient = one_of(database, installed.one.number, "Patient")
    for path in ("_history", "_history/1"):
        installed.get(f"Flag/{flag}/{path}", ehr, 404)
    withdraw_everything(database, installed.patient.id)
    for path in ("", "/_history", "/_history/1", "/$everything", "/$progress"):
        installed.get(f"Patient/{patient}{path}", ehr, 404)
    unknown = installed.get(f"Flag/{'0' * 32}", ehr, 404)
    assert told["issue"] == unknown["issue"]
    for officer, wanted in zip(officers, (set(), {"label", "consent"}), strict=True):
        found = installed.events("&agent-name=ehr-a", officer)
        hidden = [each for each in found if "AuthZ-Consent" in str(each.get("subtype"))]
        reasons = {each.get("outcomeDesc", "").rpartition(": ")[2] for each in hidden}
        assert reasons == wanted, found
        assert len(hidden) == 8 * bool(wanted)
    key = installed.patient.id.hex
    rows = opened_rows(installed.served.context)
    assert [key in str(row.patients) for row in rows if row.decision] == [True] * 8


def one_of(database: Any, audience: int, name: str) -> str:
    sql = f"SELECT id FROM documents WHERE audience = {audience} AND type = '{name}'"
    with database.engine.connect() as connection:
        return str(connection.exec_driver_sql(sql).scalars().first())


def withdraw_everything(database: Any, patient_id: Any) -> None:
    rows = database.read(
        lambda session: session.exec(select(Consent).where(Consent.patient_id == patient_id)).all()
    )
    for row in rows:
        execute(database, WithdrawConsent(consent_id=row.id, withdrawn_by="the person"))


def test_pages_are_walked_and_links_are_bound(installed: Installation):
    officer, ehr = installed.caller("officer", officer=True), installed.caller("ehr", installed.one)
    for _ in range(7):
        installed.get("Patient", ehr)
    page = installed.get("AuditEvent?_count=3&agent-name=ehr&type=rest", officer)
    seen: list[str] = []
    while True:
        seen += [each["resource"]["id"] for each in page.get("entry", [])]
        links = {each["relation"]: each["url"] for each in page["link"]}
        if "next" not in links:
            break
        page = installed.get(links["next"].partition("/fhir/")[2], officer)
    assert len(seen) == len(set(seen)) == 7
    assert seen == sorted(seen, reverse=True)
    installed.get("AuditEvent?_cursor=abc", officer, 400)


def test_what_is_no_text_is_refused_and_what_is_no_id_is_nothing(installed: Installation):
    officer = installed.caller("officer", officer=True)
    for path in ("%00", "a%00", "%C3%A9", f"{'a' * 65}"):
        assert installed.get(f"AuditEvent/{path}", officer, 404)["resourceType"] == (
            "OperationOutcome"
        )
    for name in ("_id", "patient", "entity", "agent-name", "address", "type", "date", "_cursor",
                 "_count", "entity-role"):  # fmt: skip
        (issue,) = installed.get(f"AuditEvent?{name}=a%00", officer, 400)["issue"]
        assert issue["expression"] == [name]
        form = {**officer, "Content-Type": "application/x-www-form-urlencoded"}
        posted = installed.served.client.post(
            "/fhir/AuditEvent/_search", content=f"{name}=%00", headers=form
        )
        assert posted.status_code == 400, name


def test_a_person_who_was_forgotten_is_nobody_in_whole_chains(installed: Installation):
    ehr = installed.caller("ehr-a", installed.one)
    officer = installed.caller("officer-a", installed.one, officer=True)
    (mine,) = installed.get("Patient", ehr)["entry"]
    shown = f"Patient/{mine['resource']['id']}"
    installed.get(shown, ehr)
    context = installed.served.context
    context.database.unit_of_work(lambda session: forget(session, installed.patient.id))
    context.pseudonyms.forget(installed.patient.id)
    assert installed.events(f"&patient={shown}", officer) == []
    events = installed.events("&type=rest&agent-name=ehr-a", officer)
    assert shown not in str(events)
    assert "A person who was forgotten" in str(events)
    for event in events:
        R4.model_validate(event)
    context.audit.seal()
    assert verify(context.settings.audit_url).problems == []


def test_an_unknown_parameter_is_told(installed: Installation):
    officer = installed.caller("officer", officer=True)
    bundle = installed.get("AuditEvent?nonsense=1", officer)
    assert bundle["entry"][-1]["search"]["mode"] == "outcome"
    headers = {**officer, "Prefer": "handling=strict"}
    assert installed.served.client.get("/fhir/AuditEvent?x=1", headers=headers).status_code == 400
