"""The CapabilityStatement says what is executed, and what it says is executed.

https://hl7.org/fhir/R4/capabilitystatement.html
"""

import orjson
import pytest

from fhir_mappings import structure
from fhir_mappings.definitions.profiles import known_profiles
from fhir_mappings.registry import build_registry
from service.fhir.capability import capability_statement
from service.fhir.mapping import Owner
from tests import world
from tests.api.fhir_endpoint import BASE, Endpoint

REGISTRY = build_registry()
STATEMENT = orjson.loads(capability_statement(REGISTRY, BASE))
REST = STATEMENT["rest"][0]
RESOURCES = {each["type"]: each for each in REST["resource"] if each["type"] != "AuditEvent"}
US_CORE = "http://hl7.org/fhir/us/core"
CLIENTS = [kind.name for kind in REGISTRY.types if kind.owner is Owner.CLIENT]
SHARED = ["Patient", "QuestionnaireResponse"]


def interactions(name):
    return {each["code"] for each in RESOURCES[name]["interaction"]}


def test_it_is_valid_fhir():
    assert [i for i in structure.validate(STATEMENT) if i.severity == "error"] == []


def test_it_is_what_the_us_core_test_kit_looks_for():
    assert f"{US_CORE}/CapabilityStatement/us-core-server" in STATEMENT["instantiates"]
    assert STATEMENT["fhirVersion"] == "4.0.1"
    assert "application/fhir+json" in STATEMENT["format"]
    profiles = {p for each in RESOURCES.values() for p in each.get("supportedProfile", ())}
    assert f"{US_CORE}/StructureDefinition/us-core-patient" in profiles
    assert len([each for each in profiles if each.startswith(US_CORE)]) > 10
    assert {p for p in profiles if p.startswith(US_CORE)} <= set(known_profiles())


def test_the_server_as_a_whole():
    assert {each["code"] for each in REST["interaction"]} == {
        "transaction", "batch", "search-system", "history-system",
    }  # fmt: skip
    assert STATEMENT["patchFormat"] == ["application/json-patch+json"]
    assert REST["compartment"] == ["http://hl7.org/fhir/CompartmentDefinition/patient"]


@pytest.mark.parametrize("name", sorted(RESOURCES))
def test_writing_is_stated_by_owner(name):
    stated = RESOURCES[name]
    owner = REGISTRY.by_type[name].owner
    assert ("create" in interactions(name)) is (owner is not Owner.PROGRAMME)
    deletes = owner is Owner.CLIENT or name == "QuestionnaireResponse"
    assert ("delete" in interactions(name)) is deletes
    assert stated["updateCreate"] is (owner is Owner.CLIENT)
    assert stated["conditionalUpdate"] is (owner is not Owner.PROGRAMME)
    assert stated["conditionalDelete"] == ("single" if deletes else "not-supported")
    assert stated["readHistory"] is not REGISTRY.by_type[name].current_only


def test_a_roster_neither_brings_along_nor_is_brought_along():
    assert "searchInclude" not in RESOURCES["Group"]
    assert "searchRevInclude" not in RESOURCES["Group"]
    stated = [p for each in RESOURCES.values() for p in each.get("searchRevInclude", ())]
    assert not [each for each in stated if each.startswith("Group:")]


def test_every_parameter_and_include_that_is_stated_is_executed(endpoint: Endpoint):
    hospital = world.hospital(endpoint.context.database)
    strict = {"Prefer": "handling=strict"}
    for name, stated in RESOURCES.items():
        for way, key in (("_include", "searchInclude"), ("_revinclude", "searchRevInclude")):
            for value in stated.get(key, ()):
                url = f"{name}?{way}={value}&_count=1"
                answer = endpoint.get(url, hospital, headers=strict)
                assert answer.status_code == 200, (url, answer.text)
        for parameter in stated["searchParam"]:
            value = VALUES[parameter["type"]]
            url = f"{name}?{parameter['name']}={value}&_count=1"
            if parameter["type"] != "composite":
                answer = endpoint.get(url, hospital, headers=strict)
                assert answer.status_code == 200, (url, answer.text)


VALUES = {
    "token": "x", "string": "x", "date": "2026-01-01", "reference": "Patient/1", "number": "1",
    "quantity": "1", "uri": "urn:x", "composite": "x$y",
}  # fmt: skip
