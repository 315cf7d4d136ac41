"""The only import of fhir.resources, which ships R4B (equal to R4 for these types) and no R4.

https://hl7.org/fhir/R4/resourcelist.html
"""

from functools import cache
from importlib import import_module
from typing import Any

from fhir_core.fhirabstractmodel import FHIRAbstractModel

from fhir_mappings.definitions.table import table

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


_reject_null = FHIRAbstractModel.reject_null_complex_elements.__func__
_check_whole = FHIRAbstractModel.validate_after_model_construction


@cache
def _in_tables() -> frozenset[str]:
    """Name the library's classes that the tables know, such as ObservationComponent."""
    return frozenset(
        "".join(part[0].upper() + part[1:] for part in name.split(".")) for name in table().types
    )


@classmethod  # type: ignore[misc]  # it replaces a class method
def _reject_null_where_unknown(cls: type[FHIRAbstractModel], data: object) -> object:
    return data if cls.__resource_type__ in _in_tables() else _reject_null(cls, data)


def _check_whole_where_unknown(self: FHIRAbstractModel) -> FHIRAbstractModel:
    return self if self.__resource_type__ in _in_tables() else _check_whole(self)  # type: ignore[operator]


def _leave_to_the_tables() -> None:
    """Take from the library what the tables check in full, and it wrongly and slowly.

    Nulls, required elements and choices: it refuses a choice given by its extension alone, fails
    on a required array of which only the extensions are given, and needs half its time for them,
    looking at each of the fifty types of Extension.value four times. Its classes take their checks
    from here when they are made, so this comes before any is imported.
    """
    model: Any = FHIRAbstractModel
    model.reject_null_complex_elements = _reject_null_where_unknown
    model.validate_after_model_construction = _check_whole_where_unknown


_leave_to_the_tables()


@cache
def model_for(resource_type: str) -> type[FHIRAbstractModel]:
    """Return the R4B class, imported when first asked for; KeyError for other types."""
    if resource_type not in TYPES:
        raise KeyError(resource_type)
    module = import_module(f"fhir.resources.R4B.{resource_type.lower()}")
    model: type[FHIRAbstractModel] = getattr(module, resource_type)
    return model
