"""Consents as a hospital sends them."""

from typing import Any

from fhir_mappings.codes import CATEGORY, GROUP_NAME, LABEL, PRIVACY, PURPOSE, RECIPIENT, Code
from fhir_mappings.datatypes import codeable_concept, coding
from service.models.provisions import Category, Label
from service.models.purposes import Purpose

Json = dict[str, Any]


def rule(decision: str = "permit", *exceptions: Json, **said: Any) -> Json:
    """A provision; codes may be said by their enums."""
    found: Json = {"type": decision, **said}
    kinds = {"code": (CATEGORY, codeable_concept), "purpose": (PURPOSE, coding)}
    kinds["securityLabel"] = (LABEL, coding)
    for name, (codes, made) in kinds.items():
        if name in said:
            found[name] = [made(codes.get(one, one)) for one in said[name]]
    if exceptions:
        found["provision"] = list(exceptions)
    return found


def consent(patient: str, organization: str, provision: Json, **more: Any) -> Json:
    """A Consent about this Patient, whose root names the hospital."""
    actor = {
        "role": codeable_concept(RECIPIENT),
        "reference": {"reference": f"Organization/{organization}"},
    }
    return {
        "resourceType": "Consent",
        "status": "active",
        "scope": codeable_concept(PRIVACY),
        "category": [codeable_concept(Code("http://loinc.org", "59284-0", "Patient Consent"))],
        "patient": {"reference": f"Patient/{patient}"},
        "policyRule": {"text": "of the hospital"},
        "provision": {"actor": [actor], **provision},
        **more,
    }


__all__ = ["GROUP_NAME", "Category", "Label", "Purpose", "consent", "rule"]
