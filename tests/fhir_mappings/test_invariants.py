"""R4's invariants: each is found where it is broken, and only there.

https://hl7.org/fhir/R4/conformance-rules.html#constraints
"""

import pytest

from fhir_mappings.definitions.invariants import RULES
from fhir_mappings.definitions.table import table
from fhir_mappings.structure import validate
from tests.fhir_mappings.responses import found

CODE = {"coding": [{"system": "http://loinc.org", "code": "44261-6"}]}
OBSERVATION = {"resourceType": "Observation", "status": "final", "code": CODE}
QUANTITY = {"value": 3}
APPOINTMENT = {
    "resourceType": "Appointment",
    "status": "booked",
    "start": "2024-01-01T10:00:00Z",
    "end": "2024-01-01T11:00:00Z",
    "participant": [{"actor": {"reference": "Patient/1"}, "status": "accepted"}],
}
GROUP = {"resourceType": "Group", "type": "person", "actual": True}
CAPABILITY = {
    "resourceType": "CapabilityStatement",
    "status": "active",
    "date": "2024",
    "kind": "instance",
    "fhirVersion": "4.0.1",
    "format": ["json"],
    "implementation": {"description": "x"},
    "rest": [{"mode": "server", "resource": [{"type": "Patient"}]}],
}


def without(resource, *names):
    return {name: value for name, value in resource.items() if name not in names}


@pytest.mark.parametrize(
    ("key", "resource"),
    [
        ("obs-6", OBSERVATION | {"valueQuantity": QUANTITY, "dataAbsentReason": {"text": "x"}}),
        ("obs-7", OBSERVATION | {"valueQuantity": QUANTITY, "component": [{"code": CODE}]}),
        ("obs-3", OBSERVATION | {"referenceRange": [{"type": {"text": "x"}}]}),
        ("per-1", OBSERVATION | {"effectivePeriod": {"start": "2024-02", "end": "2024-01-31"}}),
        (
            "per-1",
            OBSERVATION
            | {
                "effectivePeriod": {
                    "start": "2024-01-01T10:00:00+01:00",
                    "end": "2024-01-01T08:59:00Z",
                }
            },
        ),
        ("ext-1", OBSERVATION | {"extension": [{"url": "http://x"}]}),
        ("app-1", APPOINTMENT | {"participant": [{"status": "accepted"}]}),
        ("app-2", without(APPOINTMENT, "end")),
        ("app-3", without(APPOINTMENT, "start", "end")),
        ("app-4", APPOINTMENT | {"cancelationReason": {"text": "x"}}),
        ("grp-1", GROUP | {"actual": False, "member": [{"entity": {"reference": "Patient/1"}}]}),
        ("org-1", {"resourceType": "Organization", "active": True}),
        ("org-3", {"resourceType": "Organization", "name": "x", "telecom": [{"use": "home"}]}),
        ("cpt-2", {"resourceType": "Patient", "telecom": [{"value": "x"}]}),
        ("pat-1", {"resourceType": "Patient", "contact": [{"gender": "female"}]}),
        (
            "ppc-1",
            {"resourceType": "Consent", "status": "active", "scope": CODE, "category": [CODE]},
        ),
        (
            "bdl-2",
            {
                "resourceType": "Bundle",
                "type": "collection",
                "entry": [{"search": {"mode": "match"}}],
            },
        ),
        ("bdl-3", {"resourceType": "Bundle", "type": "batch", "entry": [{"resource": GROUP}]}),
        ("cpb-9", CAPABILITY | {"rest": [{"mode": "server", "resource": [{"type": "Group"}] * 2}]}),
        ("cpb-14", without(CAPABILITY, "implementation") | {"description": "x"}),
        (
            "que-2",
            {
                "resourceType": "Questionnaire",
                "status": "draft",
                "item": [{"linkId": "1", "type": "string"}] * 2,
            },
        ),
        ("dom-3", OBSERVATION | {"contained": [GROUP | {"id": "g"}]}),
        (
            "dom-4",
            OBSERVATION
            | {
                "focus": [{"reference": "#g"}],
                "contained": [GROUP | {"id": "g", "meta": {"versionId": "1"}}],
            },
        ),
    ],
)
def test_an_invariant_is_checked(key, resource):
    assert f"{key}:" in " ".join(issue.diagnostics for issue in validate(resource))


@pytest.mark.parametrize("resource", [OBSERVATION, APPOINTMENT, GROUP, CAPABILITY])
def test_what_breaks_no_invariant_is_accepted(resource):
    assert found(resource) == set()


def test_every_rule_that_can_fire_is_written():
    declared = {
        rule[0]
        for kind in table().types.values()
        for holder in (kind, *kind.elements.values())
        for rule in holder.rules
    }
    assert declared == set(RULES)
