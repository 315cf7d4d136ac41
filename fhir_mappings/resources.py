"""The only import of fhir.resources, which ships R4B (equal to R4 for these types) and no R4.

https://hl7.org/fhir/R4/resourcelist.html
"""

from functools import cache
from importlib import import_module

from fhir_core.fhirabstractmodel import FHIRAbstractModel

TYPES = frozenset(
    {
        "Appointment",
        "Bundle",
        "CapabilityStatement",
        "CarePlan",
        "CareTeam",
        "CodeSystem",
        "Communication",
        "Condition",
        "Consent",
        "DocumentReference",
        "Encounter",
        "EpisodeOfCare",
        "Flag",
        "Goal",
        "Group",
        "HealthcareService",
        "List",
        "Location",
        "Observation",
        "OperationOutcome",
        "Organization",
        "Parameters",
        "Patient",
        "Practitioner",
        "PractitionerRole",
        "Provenance",
        "Questionnaire",
        "QuestionnaireResponse",
        "RelatedPerson",
        "ServiceRequest",
        "Task",
        "ValueSet",
    }
)


@cache
def model_for(resource_type: str) -> type[FHIRAbstractModel]:
    """Return the R4B class, imported when first asked for; KeyError for other types."""
    if resource_type not in TYPES:
        raise KeyError(resource_type)
    module = import_module(f"fhir.resources.R4B.{resource_type.lower()}")
    model: type[FHIRAbstractModel] = getattr(module, resource_type)
    return model
