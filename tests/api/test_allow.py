"""`Allow` beside a 405 names what the address takes: all of it, and nothing else."""

import pytest

from tests.api.clients import Client, refused
from tests.api.v1.programme import Api, open_api


@pytest.fixture
def api(sqlite_url, tmp_path):
    with open_api(sqlite_url, tmp_path) as opened:
        yield opened


def allowed(answer) -> set[str]:
    assert answer.status_code == 405, answer.text
    return set(answer.headers["allow"].split(", "))


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/v1/patients", {"GET", "HEAD", "POST"}),
        ("/v1/patients/bulk-or-not", {"GET", "HEAD", "PATCH"}),
        ("/v1/bulk/patients", {"POST"}),
        ("/oauth/token", {"POST"}),
    ],
)
def test_each_address_names_the_methods_of_all_its_routes(api: Api, path, methods):
    assert allowed(api.call("DELETE", path)) == methods


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("Appointment", {"GET", "HEAD"}),
        ("Appointment/1", {"GET", "HEAD"}),
        ("Patient", {"GET", "HEAD", "POST", "PUT", "PATCH"}),
        ("Condition/1", {"GET", "HEAD", "PUT", "PATCH", "DELETE"}),
        ("Condition/_history", {"GET", "HEAD"}),
        ("Condition/_search", {"POST"}),
        ("Patient/$match", {"POST"}),
        ("Patient/1/$everything", {"GET", "HEAD", "POST"}),
        ("_history", {"GET", "HEAD"}),
    ],
)
def test_a_fhir_address_names_what_its_type_offers(sender: Client, path, methods):
    assert allowed(sender("OPTIONS", path)) == methods


def test_no_interaction_stands_where_an_id_would(sender: Client):
    for path in ("Condition/_history", "Condition/_search"):
        for method in ("PUT", "PATCH", "DELETE"):
            assert sender(method, path).status_code == 405, (method, path)


def test_who_may_not_write_a_type_is_told_before_its_body_is_looked_at(sender: Client):
    refused(sender("PUT", "Appointment/1", b"{"), 403, "forbidden")


def test_an_operation_takes_no_resource_that_it_does_not_ask_for(sender: Client):
    patient = sender.patient()
    for kind in ("Goal", 7, None):
        answer = sender("POST", f"Patient/{patient}/$everything", {"resourceType": kind})
        refused(answer, 400, "invalid", "resourceType")
    assert (
        sender("POST", "Condition/%C2%84/$validate", {"resourceType": "Condition"}).status_code
        == 404
    )
