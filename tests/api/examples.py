"""Writes api/examples: `python -m tests.api.examples`, then `make openapi`.

What the mappings write is a golden file; what clients send is in tests/data/sent; a definition is
the first of its type.
"""

import json
from pathlib import Path

from fhir_mappings.conformance.definitions import TYPES, definitions

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
GOLDEN = DATA / "golden"
SENT = DATA / "sent"
EXAMPLES = ROOT / "api" / "examples"
CHOSEN = (
    "Appointment-visit",
    "Consent-consent",
    "Encounter-visit",
    "EpisodeOfCare-enrollment",
    "Flag-response",
    "Group-roster",
    "HealthcareService-group",
    "Location-place",
    "Observation-response",
    "Organization-facility",
    "Patient-patient",
    "Practitioner-facilitator",
    "PractitionerRole-facilitator",
    "Questionnaire-gad-7",
    "QuestionnaireResponse-response",
)


def pairs() -> list[tuple[str, bytes]]:
    """Each example's type, with what its file holds."""
    found = [(name.partition("-")[0], (GOLDEN / f"{name}.json").read_bytes()) for name in CHOSEN]
    found += [(path.stem, path.read_bytes()) for path in sorted(SENT.glob("*.json"))]
    for name in TYPES:
        first = next(each for each in definitions() if each["resourceType"] == name)
        found.append((name, (json.dumps(first, indent=2, ensure_ascii=False) + "\n").encode()))
    return found


if __name__ == "__main__":
    for name, content in pairs():
        (EXAMPLES / f"{name}.json").write_bytes(content)
