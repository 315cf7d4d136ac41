"""Copies golden files to api/examples: `python -m tests.api.examples`, then `make openapi`."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "data" / "golden"
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


def pairs() -> list[tuple[Path, Path]]:
    """Each example with the golden file that it is a copy of."""
    found = []
    for name in CHOSEN:
        kind = name.partition("-")[0]
        found.append((EXAMPLES / f"{kind}.json", GOLDEN / f"{name}.json"))
    return found


if __name__ == "__main__":
    for example, golden in pairs():
        example.write_bytes(golden.read_bytes())
