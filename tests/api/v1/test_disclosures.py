"""Who got what of a person: rows, accounting, Bundle and PDF, for the privacy officer alone."""

import shutil
import subprocess
from importlib import import_module
from typing import Any

import pytest

from api.audit_pdf import Line, Report, pdf
from service.clock import system_clock
from tests import world
from tests.api.v1.programme import Api

R4 = import_module("fhir.resources.R4B.auditevent").AuditEvent
NAMES = "Zoë Łukaszewska-Đorđević Ёлкина Παπαδοπούλου"


@pytest.fixture
def read(api: Api) -> dict[str, Any]:
    """Two hospitals share a person and each has another; one of them reads."""
    one, two = world.hospital(api.database, "A"), world.hospital(api.database, "B")
    shared, other = world.linked(api.database, one, two), world.linked(api.database, one)
    token = api.new_token("ehr-a", "system/*.rs", one)
    assert api.get("/fhir/Patient", token=token).status_code == 200
    assert api.get("/fhir/Patient?_id=nobody", token=token).status_code == 200
    return {"shared": shared, "other": other, "one": one, "two": two}


def test_rows_are_shown_opened_the_newest_first(api: Api, read: dict[str, Any]):
    found = api.get("/v1/audit", params={"client": "ehr-a"}).json()["items"]
    assert [each["query"] for each in found] == ["_id=nobody", None]
    assert found[1]["connection_id"] == str(read["one"].id)
    assert set(found[1]["patients"]) == {str(read["shared"].id), str(read["other"].id)}
    assert found[1]["path"] == found[1]["route"] == "/fhir/Patient"


def test_rows_are_paged_and_found_by_person_and_time(api: Api, read: dict[str, Any]):
    (only,) = api.get("/v1/audit", params={"patient_id": read["other"].id}).json()["items"]
    assert only["client"] == "ehr-a"
    page = api.get("/v1/audit?limit=1&client=ehr-a").json()
    following = api.get(page["next"]).json()
    assert {page["items"][0]["id"], following["items"][0]["id"]} == {
        each["id"] for each in api.get("/v1/audit?client=ehr-a").json()["items"]
    }
    assert following["next"] is None
    assert api.get("/v1/audit?until=2020-01-01T00:00:00Z").json()["items"] == []


def test_the_accounting_tells_each_recipient_what_it_got(api: Api, read: dict[str, Any]):
    address = f"/v1/patients/{read['shared'].id}/disclosures"
    body = api.get(address).json()
    assert body["complete"] is True
    (recipient,) = body["recipients"]  # the other hospital never asked
    assert recipient["name"] == "A"
    assert [each["what"] for each in recipient["disclosures"]] == ["/fhir/Patient"]


def test_the_bundle_is_about_nobody_else(api: Api, read: dict[str, Any]):
    answer = api.get(f"/v1/patients/{read['shared'].id}/disclosures?format=fhir")
    assert answer.headers["content-type"] == "application/fhir+json"
    (entry,) = answer.json()["entry"]
    R4.model_validate(entry["resource"])
    people = [each for each in entry["resource"]["entity"] if each["type"]["code"] == "1"]
    assert len(people) == 1


def test_the_pdf_is_served(api: Api, read: dict[str, Any]):
    answer = api.get(f"/v1/patients/{read['shared'].id}/disclosures?format=pdf")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext reads it")
def test_the_text_of_the_pdf_can_be_selected_whatever_the_alphabet():
    lines = [Line(system_clock(), "ehr-a for Dr <Ünal>", "GET /fhir/Patient/{id}", "TREAT")] * 90
    report = Report(NAMES, "Programme", system_clock(), [("Łódź & Sons", lines)], complete=False)
    command = ["pdftotext", "-layout", "-", "-"]
    text = subprocess.run(command, input=pdf(report), capture_output=True, check=True).stdout
    said = text.decode()
    for each in (*NAMES.split(), "Łódź & Sons", "Dr <Ünal>", "GET /fhir/Patient/{id}", "Page 2"):
        assert each in said
    assert "more disclosures than are listed" in said
    assert "No hospital has" not in said
