"""Everything served: which mappings make documents, and how each type is searched.

https://hl7.org/fhir/R4/searchparameter-registry.html
"""

from fhir_mappings import (
    appointment,
    consent,
    encounter,
    episode_of_care,
    flag,
    group,
    healthcare_service,
    location,
    observation,
    organization,
    patient,
    practitioner,
    practitioner_role,
    questionnaire,
    questionnaire_response,
)
from fhir_mappings.search_parameters import date, id_of_patient, string, token
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
    Mapping("Patient", "patient", patient.render),
    Mapping("Group", "roster", group.render),
    Mapping("EpisodeOfCare", "enrollment", episode_of_care.render, 2),
    Mapping("Appointment", "visit", appointment.render, 2),
    Mapping("Encounter", "visit", encounter.render, 2),
    Mapping("QuestionnaireResponse", "response", questionnaire_response.render),
    Mapping("Observation", "response", observation.render_total),
    Mapping("Observation", "response", observation.render_answers),
    Mapping("Flag", "response", flag.render),
    Mapping("Consent", "consent", consent.render),
)

IDENTIFIER = token("identifier", "identifier", "clinical-identifier")
CODE = token("code", "code", "clinical-code")
PATIENT = id_of_patient("patient", "subject", "clinical-patient")

DIRECTORY = (
    ResourceType(
        "Organization",
        (
            token("identifier", "identifier", "Organization-identifier"),
            token("active", "active", "Organization-active"),
            token("type", "type", "Organization-type"),
            string("name", "name", "Organization-name"),
        ),
        organization.PROFILES,
        documentation="The programme, and the reader's own hospital with its clinics.",
    ),
    ResourceType(
        "Practitioner",
        (
            token("identifier", "identifier", "Practitioner-identifier"),
            token("active", "active", "Practitioner-active"),
            string("name", "name", "Practitioner-name"),
            string("family", "name.family", "individual-family"),
            string("given", "name.given", "individual-given"),
        ),
        practitioner.PROFILES,
        documentation="Facilitators who agreed to be named.",
    ),
    ResourceType(
        "PractitionerRole",
        (
            token("identifier", "identifier", "PractitionerRole-identifier"),
            token("active", "active", "PractitionerRole-active"),
            token("role", "code", "PractitionerRole-role"),
        ),
        documentation="Every facilitator, by role.",
    ),
    ResourceType(
        "Location",
        (
            token("identifier", "identifier", "Location-identifier"),
            token("status", "status", "Location-status"),
            string("name", "name", "Location-name"),
        ),
        location.PROFILES,
        documentation="Where groups meet.",
    ),
    ResourceType(
        "HealthcareService",
        (
            token("identifier", "identifier", "HealthcareService-identifier"),
            token("active", "active", "HealthcareService-active"),
            token("service-type", "type", "HealthcareService-service-type"),
            token("characteristic", "characteristic", "HealthcareService-characteristic"),
            string("name", "name", "HealthcareService-name"),
        ),
        documentation="The catalogue of groups; it names and counts nobody.",
    ),
    ResourceType(
        "Questionnaire",
        (
            token("identifier", "identifier", "Questionnaire-identifier"),
            token("status", "status", "Questionnaire-status"),
            token("code", "item.code", "Questionnaire-code"),
            token("version", "version", "Questionnaire-version"),
            string("name", "name", "Questionnaire-name"),
            string("title", "title", "Questionnaire-title"),
            date("date", "date", "Questionnaire-date"),
        ),
        documentation="The questionnaires that are scored here.",
    ),
)

ABOUT_PATIENTS = (
    ResourceType(
        "Patient",
        (
            token("identifier", "identifier", "Patient-identifier"),
            token("active", "active", "Patient-active"),
            token("gender", "gender", "individual-gender"),
            string("name", "name", "Patient-name"),
            string("family", "name.family", "individual-family"),
            string("given", "name.given", "individual-given"),
            date("birthdate", "birthDate", "individual-birthdate"),
        ),
        patient.PROFILES,
        owner=Owner.SHARED,
        documentation="With the reader's own record numbers only.",
    ),
    ResourceType(
        "Group",
        (
            token("identifier", "identifier", "Group-identifier"),
            token("type", "type", "Group-type"),
            token("actual", "actual", "Group-actual"),
            token("code", "code", "Group-code"),
        ),
        current_only=True,
        documentation="The reader's own patients in one group; it takes the roster role.",
    ),
    ResourceType(
        "EpisodeOfCare",
        (
            IDENTIFIER,
            id_of_patient("patient", "patient", "clinical-patient"),
            token("status", "status", "EpisodeOfCare-status"),
            token("type", "type", "clinical-type"),
            date("date", "period", "clinical-date"),
        ),
        patient_path="patient",
        documentation="Membership of a group.",
    ),
    ResourceType(
        "Appointment",
        (
            token("identifier", "identifier", "Appointment-identifier"),
            id_of_patient("patient", "participant.actor", "Appointment-patient"),
            token("status", "status", "Appointment-status"),
            token("service-type", "serviceType", "Appointment-service-type"),
            date("date", "start", "Appointment-date"),
        ),
        patient_path="participant.actor",
        documentation="One person's place at one session.",
    ),
    ResourceType(
        "Encounter",
        (
            IDENTIFIER,
            PATIENT,
            id_of_patient("subject", "subject", "Encounter-subject"),
            token("status", "status", "Encounter-status"),
            token("class", "class", "Encounter-class"),
            token("type", "type", "clinical-type"),
            date("date", "period", "clinical-date"),
        ),
        encounter.PROFILES,
        patient_path="subject",
        documentation="One person's attendance of one session.",
    ),
    ResourceType(
        "QuestionnaireResponse",
        (
            token("identifier", "identifier", "QuestionnaireResponse-identifier"),
            id_of_patient("patient", "subject", "QuestionnaireResponse-patient"),
            id_of_patient("subject", "subject", "QuestionnaireResponse-subject"),
            token("status", "status", "QuestionnaireResponse-status"),
            date("authored", "authored", "QuestionnaireResponse-authored"),
        ),
        (questionnaire_response.PROFILE,),
        writable=True,
        patient_path="subject",
        owner=Owner.SHARED,
        documentation="Scored on arrival; the sender reads what it sent.",
    ),
    ResourceType(
        "Observation",
        (
            IDENTIFIER,
            PATIENT,
            id_of_patient("subject", "subject", "Observation-subject"),
            token("status", "status", "Observation-status"),
            token("category", "category", "Observation-category"),
            CODE,
            date("date", "effectiveDateTime", "clinical-date"),
        ),
        observation.PROFILES,
        patient_path="subject",
        documentation="Totals, and answers where their consent was given.",
    ),
    ResourceType(
        "Flag",
        (
            token("identifier", "identifier", "Flag-identifier"),
            PATIENT,
            id_of_patient("subject", "subject", "Flag-subject"),
            date("date", "period", "clinical-date"),
        ),
        patient_path="subject",
        documentation="A questionnaire's safety rule was met.",
    ),
    ResourceType(
        "Consent",
        (
            IDENTIFIER,
            id_of_patient("patient", "patient", "clinical-patient"),
            token("status", "status", "Consent-status"),
            token("category", "category", "Consent-category"),
            date("date", "dateTime", "clinical-date"),
        ),
        patient_path="patient",
        documentation="What a person permits or denies the reader.",
    ),
)


def build_registry() -> Registry:
    """Return the registry that every session which writes is opened with."""
    return Registry(MAPPINGS, (*DIRECTORY, *ABOUT_PATIENTS))
