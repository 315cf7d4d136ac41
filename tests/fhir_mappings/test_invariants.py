"""R4's invariants: each is found where it is broken, and only there.

https://hl7.org/fhir/R4/conformance-rules.html#constraints
"""

import json
from pathlib import Path

import pytest

from fhir_mappings import definitions
from fhir_mappings.definitions.invariants import NEVER_FIRE, RULES
from fhir_mappings.definitions.table import table
from fhir_mappings.structure import validate
from tests.fhir_mappings.responses import found

R4 = Path(definitions.__file__).with_name("r4.json")
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
CONDITION = {
    "resourceType": "Condition",
    "subject": {"reference": "Patient/1"},
    "clinicalStatus": {
        "coding": [
            {
                "system": "http://terminology.hl7.org/CodeSystem/condition-clinical",
                "code": "active",
            }
        ]
    },
}
IN_ERROR = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/condition-ver-status",
            "code": "entered-in-error",
        }
    ]
}
CARE_PLAN = {
    "resourceType": "CarePlan",
    "status": "active",
    "intent": "plan",
    "subject": {"reference": "Patient/1"},
}
CARE_TEAM = {
    "resourceType": "CareTeam",
    "participant": [
        {
            "member": {"reference": "Practitioner/1"},
            "onBehalfOf": {"reference": "Organization/1"},
        }
    ],
}
GOAL = {
    "resourceType": "Goal",
    "lifecycleStatus": "active",
    "description": {"text": "x"},
    "subject": {"reference": "Patient/1"},
    "target": [{"measure": CODE, "detailInteger": 4}],
}
LIST = {
    "resourceType": "List",
    "status": "current",
    "mode": "working",
    "entry": [{"date": "2024", "item": {"reference": "Patient/1"}}],
}
TASK = {
    "resourceType": "Task",
    "status": "requested",
    "intent": "order",
    "authoredOn": "2024-01-02",
    "lastModified": "2024-01-02T10:00:00Z",
}
ORDER = {
    "resourceType": "ServiceRequest",
    "status": "active",
    "intent": "order",
    "code": CODE,
    "orderDetail": [CODE],
    "subject": {"reference": "Patient/1"},
}
PARAMETERS = {
    "resourceType": "Parameters",
    "parameter": [{"name": "a", "part": [{"name": "b", "valueString": "c"}]}],
}
CODE_SYSTEM = {
    "resourceType": "CodeSystem",
    "status": "active",
    "content": "complete",
    "concept": [{"code": "a", "concept": [{"code": "b"}]}],
}
VALUE_SET = {
    "resourceType": "ValueSet",
    "status": "active",
    "compose": {"include": [{"system": "http://x", "concept": [{"code": "a"}]}]},
    "expansion": {"timestamp": "2024", "contains": [{"system": "http://x", "code": "a"}]},
}
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


def includes(**members):
    return VALUE_SET | {"compose": {"include": [members]}}


def contains(**members):
    return VALUE_SET | {"expansion": {"timestamp": "2024", "contains": [members]}}


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
        ("con-1", CONDITION | {"stage": [{"type": CODE}]}),
        ("con-2", CONDITION | {"evidence": [{"extension": [{"url": "x", "valueCode": "a"}]}]}),
        ("con-4", CONDITION | {"abatementDateTime": "2024"}),
        ("con-4", without(CONDITION, "clinicalStatus") | {"abatementString": "x"}),
        ("con-5", CONDITION | {"verificationStatus": IN_ERROR}),
        (
            "cpl-3",
            CARE_PLAN
            | {"activity": [{"reference": {"display": "x"}, "detail": {"status": "unknown"}}]},
        ),
        (
            "ctm-1",
            CARE_TEAM
            | {
                "participant": [
                    CARE_TEAM["participant"][0] | {"member": {"reference": "Patient/1"}}
                ]
            },
        ),
        ("gol-1", GOAL | {"target": [{"detailInteger": 4}]}),
        ("inv-1", TASK | {"lastModified": "2024-01-01T23:59:59Z"}),
        ("inv-1", PARAMETERS | {"parameter": [{"name": "a"}]}),
        (
            "inv-1",
            PARAMETERS | {"parameter": [{"name": "a", "part": [{"name": "b"}]}]},
        ),
        ("lst-1", LIST | {"emptyReason": CODE}),
        ("lst-2", LIST | {"entry": [{"deleted": True, "item": {"reference": "Patient/1"}}]}),
        ("lst-3", LIST | {"mode": "snapshot"}),
        ("prr-1", without(ORDER, "code")),
        ("csd-1", CODE_SYSTEM | {"concept": [{"code": "a", "concept": [{"code": "a"}]}]}),
        ("vsd-1", includes(version="1")),
        ("vsd-2", includes(valueSet=["http://y"], concept=[{"code": "a"}])),
        (
            "vsd-3",
            includes(
                system="http://x",
                concept=[{"code": "a"}],
                filter=[{"property": "a", "op": "=", "value": "b"}],
            ),
        ),
        ("vsd-6", contains(system="http://x", abstract=True)),
        ("vsd-9", contains(system="http://x", display="a")),
        ("vsd-10", contains(code="a")),
        (
            "trd-3",
            OBSERVATION
            | {"extension": [{"url": "x", "valueTriggerDefinition": {"type": "periodic"}}]},
        ),
    ],
)
def test_an_invariant_is_checked(key, resource):
    assert f"{key}:" in " ".join(issue.diagnostics for issue in validate(resource))


@pytest.mark.parametrize(
    "resource",
    [
        OBSERVATION,
        APPOINTMENT,
        GROUP,
        CAPABILITY,
        CONDITION,
        CARE_PLAN,
        CARE_TEAM,
        GOAL,
        LIST,
        TASK,
        ORDER,
        PARAMETERS,
        CODE_SYSTEM,
        VALUE_SET,
        without(CONDITION, "clinicalStatus") | {"verificationStatus": IN_ERROR},
        contains(display="a", abstract=True),
    ],
)
def test_what_breaks_no_invariant_is_accepted(resource):
    assert found(resource) == set()


def test_every_rule_of_the_table_is_written_or_can_never_fire():
    rules = json.loads(R4.read_text())["rules"]
    assert rules.keys() == RULES.keys() | NEVER_FIRE
    assert not RULES.keys() & NEVER_FIRE


def test_every_rule_that_is_written_is_run_somewhere():
    run = {
        rule[2]
        for kind in table().types.values()
        for holder in (kind, *kind.elements.values())
        for rule in holder.rules
    }
    assert run == set(RULES.values())
