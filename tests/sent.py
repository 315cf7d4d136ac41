"""A small resource of each type that only clients write, about one patient."""

from typing import Any

Json = dict[str, Any]

LABEL = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}


def about(patient: str) -> list[Json]:
    """One of each, labelled as restricted."""
    person = {"reference": f"Patient/{patient}"}
    named: Json = {"display": "somebody"}
    return [
        {"resourceType": name, "meta": {"security": [LABEL]}, **members}
        for name, members in {
            "RelatedPerson": {"patient": person},
            "Condition": {"subject": person},
            "CarePlan": {"status": "active", "intent": "plan", "subject": person},
            "CareTeam": {"subject": person},
            "Goal": {
                "lifecycleStatus": "active",
                "description": {"text": "to sleep"},
                "subject": person,
            },
            "ServiceRequest": {"status": "active", "intent": "order", "subject": person},
            "Task": {"status": "requested", "intent": "order", "for": person},
            "Communication": {"status": "completed", "subject": person},
            "DocumentReference": {
                "status": "current",
                "subject": person,
                "content": [{"attachment": {"title": "Letter"}}],
            },
            "List": {"status": "current", "mode": "working", "subject": person},
            "Provenance": {
                "target": [person],
                "recorded": "2026-01-05T10:00:00Z",
                "agent": [{"who": named}],
            },
        }.items()
    ]
