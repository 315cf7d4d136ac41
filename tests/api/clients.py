"""A client that writes resources of its own, and resources for it to write."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from service.models.connections import Connection
from tests import world
from tests.api.fhir_endpoint import EVERYTHING, Endpoint

FHIR = "application/fhir+json"
PATCH = "application/json-patch+json"
V3 = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"

Json = dict[str, Any]
numbers = count(1)


@dataclass(frozen=True)
class Client:
    """A caller of the endpoint; without a connection it is the programme."""

    endpoint: Endpoint
    connection: Connection | None = None
    token: str | None = None

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send it; a header `If_Match` is `If-Match`."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            given.setdefault("Content-Type", PATCH if method == "PATCH" else FHIR)
        content = body if isinstance(body, bytes | None) else json.dumps(body)
        return self.endpoint.request(
            method, path, self.connection, token=self.token, content=content, headers=given
        )

    def get(self, path: str, **headers: str) -> Any:
        return self("GET", path, **headers)

    def post(self, body: Any, path: str = "", **headers: str) -> Any:
        return self("POST", path or body["resourceType"], body, **headers)

    def put(self, body: Any, path: str = "", **headers: str) -> Any:
        return self("PUT", path or f"{body['resourceType']}/{body['id']}", body, **headers)

    def patch(self, path: str, *operations: Json, **headers: str) -> Any:
        return self("PATCH", path, list(operations), **headers)

    def delete(self, path: str, **headers: str) -> Any:
        return self("DELETE", path, **headers)

    def made(self, body: Json) -> Json:
        """Create it and return it."""
        answer = self.post(body)
        assert answer.status_code == 201, answer.text
        found: Json = answer.json()
        return found

    def patient(self, **more: Any) -> str:
        """The id of a Patient that the client created."""
        found: str = self.made(person(**more))["id"]
        return found

    def ids(self, path: str) -> list[str]:
        return [each["id"] for each in self.resources(path)]

    def resources(self, path: str) -> list[Json]:
        found, url = [], path
        while url:
            page = self.get(url).json()
            assert page["resourceType"] == "Bundle", page
            found += [one["resource"] for one in page.get("entry", [])]
            url = next((one["url"] for one in page["link"] if one["relation"] == "next"), "")
        return found

    def limited(self, scope: str = EVERYTHING, **more: Any) -> "Client":
        """The same caller with another token."""
        return replace(self, token=self.endpoint.token(self.connection, scope, **more))


def hospital(endpoint: Endpoint, name: str = "Hospital") -> Client:
    """A client of a hospital that is new here."""
    return Client(endpoint, world.hospital(endpoint.context.database, f"{name}-{next(numbers)}"))


def person(**more: Any) -> Json:
    return {
        "resourceType": "Patient",
        "name": [{"family": "Ash", "given": ["Ada"]}],
        "gender": "female",
        "birthDate": "1990-02-03",
        **more,
    }


def observation(patient: str | None = None, **more: Any) -> Json:
    about = {"subject": {"reference": f"Patient/{patient}"}} if patient else {}
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "pulse"},
        **about,
        "valueQuantity": {"value": 72},
        **more,
    }


def condition(patient: str, **more: Any) -> Json:
    subject = {"reference": f"Patient/{patient}"}
    return {"resourceType": "Condition", "subject": subject, "code": {"text": "low"}, **more}


def encounter(patient: str, **more: Any) -> Json:
    return {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": {"reference": f"Patient/{patient}"},
        **more,
    }


def group(patients: Iterable[str], **more: Any) -> Json:
    members = [{"entity": {"reference": f"Patient/{one}"}} for one in patients]
    return {"resourceType": "Group", "type": "person", "actual": True, "member": members, **more}


def replaced(path: str, value: Any) -> Json:
    return {"op": "replace", "path": path, "value": value}


def refused(answer: Any, status: int, code: str = "", expression: str = "") -> Json:
    """Check that the answer is this refusal; return its first issue."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    issue: Json = answer.json()["issue"][0]
    assert not code or issue["code"] == code, issue
    assert not expression or issue["expression"] == [expression], issue
    return issue
