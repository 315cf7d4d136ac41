"""Everything served: which mappings make documents, and how each type is searched.

https://hl7.org/fhir/R4/searchparameter-registry.html
"""

from typing import Any

from fhir_mappings import (
    appointment,
    communication,
    consent,
    encounter,
    episode_of_care,
    flag,
    group,
    healthcare_service,
    labels,
    location,
    measurement_task,
    observation,
    organization,
    patient,
    practitioner,
    practitioner_role,
    questionnaire,
    questionnaire_response,
    service_request,
    task,
)
from fhir_mappings.codes import US_CORE
from fhir_mappings.conformance import definitions
from fhir_mappings.forms import forms_of
from fhir_mappings.search_parameters import parameters_of
from fhir_mappings.value_sets import VALUE_SETS
from service.fhir.mapping import Mapping, Owner, Registry, ResourceType

# `revision` is raised by hand when a golden file changes (tests/fhir_mappings/test_golden.py).
MAPPINGS = (
    Mapping("Organization", "programme", organization.render_programme),
    Mapping("Organization", "facility", organization.render_facility),
    Mapping("Practitioner", "facilitator", practitioner.render),
    Mapping("PractitionerRole", "facilitator", practitioner_role.render),
    Mapping("Location", "place", location.render),
    Mapping("HealthcareService", "group", healthcare_service.render),
    Mapping("Questionnaire", "instrument", questionnaire.render),
    Mapping("Patient", "patient", patient.render, 3),
    Mapping("Group", "roster", group.render, 2),
    Mapping("EpisodeOfCare", "enrollment", episode_of_care.render, 3),
    Mapping("Appointment", "visit", appointment.render, 4),
    Mapping("Encounter", "visit", encounter.render, 4),
    Mapping("QuestionnaireResponse", "response", questionnaire_response.render, 3),
    Mapping("Observation", "response", observation.render_total, 2),
    Mapping("Observation", "response", observation.render_answers, 2),
    Mapping("Flag", "response", flag.render, 2),
    Mapping("Consent", "consent", consent.render, 2),
    Mapping("Flag", "alert", flag.render_report),
    Mapping("Task", "alert", task.render),
    Mapping("Task", "measurement", measurement_task.render),
    Mapping("ServiceRequest", "alert", service_request.render),
    Mapping("Communication", "alert", communication.render),
    *(Mapping(name, "definition", definitions.render) for name in definitions.TYPES),
)


def _type(name: str, **about: Any) -> ResourceType:  # noqa: ANN401 - the fields of ResourceType
    return ResourceType(name, parameters_of(name), **about)


DIRECTORY = (
    _type(
        "Organization",
        profiles=organization.PROFILES,
        owner=Owner.CLIENT,
        documentation="The programme, and the reader's own hospital with its clinics.",
    ),
    _type(
        "Practitioner",
        profiles=practitioner.PROFILES,
        owner=Owner.CLIENT,
        documentation="Facilitators who agreed to be named; and whom the reader sent.",
    ),
    _type(
        "PractitionerRole",
        date="date",
        owner=Owner.CLIENT,
        documentation="Every facilitator, by role; and what the reader sent.",
    ),
    _type(
        "Location",
        profiles=location.PROFILES,
        owner=Owner.CLIENT,
        documentation="Where groups meet; and what the reader sent.",
    ),
    _type(
        "HealthcareService",
        documentation="The catalogue of groups; it names and counts nobody.",
    ),
    _type(
        "Questionnaire",
        date="date",
        documentation="The questionnaires that are scored here.",
    ),
)

ABOUT_PATIENTS = (
    _type(
        "Patient",
        profiles=patient.PROFILES,
        date="birthdate",
        owner=Owner.SHARED,
        documentation="With the reader's own record numbers only.",
    ),
    _type(
        "Group",
        current_only=True,
        owner=Owner.CLIENT,
        documentation="The reader's own patients in one group, and groups of them that it sent;"
        " it takes the roster role.",
    ),
    _type(
        "EpisodeOfCare",
        date="date",
        patient_path="patient",
        owner=Owner.CLIENT,
        documentation="Membership of a group; and what the reader sent.",
    ),
    _type(
        "Appointment",
        date="date",
        patient_path="participant.actor",
        documentation="One person's place at one session.",
    ),
    _type(
        "Encounter",
        profiles=encounter.PROFILES,
        date="date",
        patient_path="subject",
        owner=Owner.CLIENT,
        documentation="One person's attendance of one session; and what the reader sent.",
    ),
    _type(
        "QuestionnaireResponse",
        profiles=(questionnaire_response.PROFILE,),
        date="authored",
        patient_path="subject",
        owner=Owner.SHARED,
        documentation="Scored on arrival where the questionnaire is known here, else kept as sent;"
        " the sender reads what it sent.",
    ),
    _type(
        "Observation",
        profiles=observation.PROFILES,
        date="date",
        patient_path="subject",
        owner=Owner.CLIENT,
        documentation="Totals, answers where consent was given, and what the reader sent.",
    ),
    _type(
        "Flag",
        date="date",
        patient_path="subject",
        documentation="A questionnaire's safety rule was met.",
    ),
    _type(
        "Consent",
        date="date",
        patient_path="patient",
        owner=Owner.CLIENT,
        documentation="What a person permits or denies the reader. One that the reader sends about"
        " itself takes effect: a denial or an end at once, a permit once the programme has"
        " confirmed it, unless it trusts the reader with that. What is not executed is refused.",
    ),
)


def _sent(
    name: str, date: str, patient_path: str, *profiles: str, ours: str | None = None
) -> ResourceType:
    kept = f"{ours}; and what the reader sent." if ours else "Kept as the reader sent it."
    return _type(
        name, date=date, patient_path=patient_path, profiles=profiles, owner=Owner.CLIENT,
        documentation=kept,
    )  # fmt: skip


# Kept as they were sent; of some the programme has its own besides. The profiles are those of
# which a resource may be and that $validate judges by.
SENT = (
    _sent("RelatedPerson", "birthdate", "patient", f"{US_CORE}/us-core-relatedperson"),
    _sent(
        "Condition",
        "recorded-date",
        "subject",
        f"{US_CORE}/us-core-condition-encounter-diagnosis",
        f"{US_CORE}/us-core-condition-problems-health-concerns",
    ),
    _sent("CarePlan", "date", "subject", f"{US_CORE}/us-core-careplan"),
    _sent("CareTeam", "date", "subject", f"{US_CORE}/us-core-careteam"),
    _sent("Goal", "start-date", "subject", f"{US_CORE}/us-core-goal"),
    _sent(
        "ServiceRequest",
        "authored",
        "subject",
        f"{US_CORE}/us-core-servicerequest",
        ours="That the programme asks the reader to see a person again",
    ),
    _sent(
        "Task",
        "authored-on",
        "for",
        ours="To follow a safety alert up; for the programme alone, that a questionnaire is due",
    ),
    _sent("Communication", "sent", "subject", ours="Who was told of a safety alert, and when"),
    _sent("DocumentReference", "date", "subject", f"{US_CORE}/us-core-documentreference"),
    _sent("List", "date", "subject"),
    _sent("Provenance", "recorded", "target", f"{US_CORE}/us-core-provenance"),
)
DEFINED = "A definition of this project, as it was installed."
DEFINITIONS = tuple(_type(name, documentation=DEFINED) for name in definitions.TYPES)


def build_registry() -> Registry:
    """Return the registry that every session which writes is opened with."""
    types = (*DIRECTORY, *ABOUT_PATIENTS, *SENT, *DEFINITIONS)
    return Registry(MAPPINGS, types, VALUE_SETS, forms_of, labels.membership)
