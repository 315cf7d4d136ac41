"""StructureDefinition of each extension of ours.

https://hl7.org/fhir/R4/defining-extensions.html
"""

from collections.abc import Iterator
from typing import Any

from fhir_mappings.codes import ATTENDANCE, SUPPORT_GROUP
from fhir_mappings.conformance.canonical import Resource, computable, definition
from fhir_mappings.conformance.codes import ATTENDANCE_MARKS, value_set_of

EXTENSION = "http://hl7.org/fhir/StructureDefinition/Extension"
HL7 = "http://hl7.org/fhir/StructureDefinition"
Element = dict[str, Any]


def resources() -> Iterator[Resource]:
    """Yield the definitions."""
    group = {
        "type": [
            {
                "code": "Reference",
                "targetProfile": [f"{HL7}/Group", f"{HL7}/HealthcareService"],
            }
        ]
    }
    yield _extension(
        SUPPORT_GROUP,
        "Support group",
        "The support group that an EpisodeOfCare is membership of: the reader's roster while the"
        " person is on it, and the service of the catalogue where the name is shown.",
        "EpisodeOfCare",
        group,
    )
    mark = {
        "type": [{"code": "code"}],
        "binding": {"strength": "required", "valueSet": value_set_of(ATTENDANCE_MARKS)},
    }
    yield _extension(
        ATTENDANCE,
        "Attendance",
        "How the person took part in the session that the Encounter stands for.",
        "Encounter",
        mark,
    )


def _extension(url: str, title: str, description: str, of: str, value: Element) -> Resource:
    name = computable(url.rpartition("/")[2])
    fixed = {"id": "Extension.url", "path": "Extension.url", "fixedUri": url}
    return {
        **definition("StructureDefinition", url, name, title, description),
        "fhirVersion": "4.0.1",
        "kind": "complex-type",
        "abstract": False,
        "context": [{"type": "element", "expression": of}],
        "type": "Extension",
        "baseDefinition": EXTENSION,
        "derivation": "constraint",
        "differential": {
            "element": [
                {"id": "Extension", "path": "Extension", "short": title, "definition": description},
                {"id": "Extension.extension", "path": "Extension.extension", "max": "0"},
                fixed,
                {"id": "Extension.value[x]", "path": "Extension.value[x]", "min": 1, **value},
            ]
        },
    }
