"""What a hospital's client sends, for tests of what it then finds."""

from typing import Any

from service.models.connections import Connection
from tests.api.fhir_endpoint import Endpoint

LOINC = "http://loinc.org"


class Sender:
    """A hospital that sends resources about one patient of its own."""

    def __init__(self, endpoint: Endpoint, hospital: Connection, patient: str) -> None:
        self.endpoint = endpoint
        self.hospital = hospital
        self.patient = patient

    def send(self, name: str, **elements: Any) -> dict[str, Any]:
        """Create a resource; return it as it is served."""
        body = {"resourceType": name, **elements}
        answer = self.endpoint.request("POST", name, self.hospital, json=body)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def about(self, name: str, **elements: Any) -> dict[str, Any]:
        """Create a resource whose subject is the patient."""
        return self.send(name, subject={"reference": f"Patient/{self.patient}"}, **elements)

    def encounter(self, **elements: Any) -> dict[str, Any]:
        values = {
            "status": "finished",
            "class": {
                "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
                "code": "AMB",
            },
        }
        return self.about("Encounter", **{**values, **elements})

    def observation(self, code: str = "8867-4", value: float = 72.5, **more: Any) -> dict[str, Any]:
        values = {
            "status": "final",
            "code": {"coding": [{"system": LOINC, "code": code}], "text": "Heart rate"},
            "effectiveDateTime": "2026-03-01T10:00:00Z",
            "valueQuantity": {"value": value, "unit": "/min"},
        }
        return self.about("Observation", **{**values, **more})


def reference(resource: dict[str, Any]) -> dict[str, str]:
    return {"reference": f"{resource['resourceType']}/{resource['id']}"}
