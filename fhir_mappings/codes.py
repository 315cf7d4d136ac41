"""Code systems and codes that the mappings write; ours are listed with their displays.

https://hl7.org/fhir/R4/terminologies-systems.html
"""

from dataclasses import dataclass
from typing import Final

from service.canonical import BASE
from service.models.consents import Category, Label, Purpose
from service.models.groups import Facilitation, Modality

OURS: Final = BASE
LOCAL: Final = f"{OURS}/CodeSystem"
IDENTIFIERS: Final = f"{OURS}/identifier"
EXTENSIONS: Final = f"{OURS}/StructureDefinition"

TERMINOLOGY: Final = "http://terminology.hl7.org/CodeSystem"
LOINC: Final = "http://loinc.org"
UCUM: Final = "http://unitsofmeasure.org"
LANGUAGES: Final = "urn:ietf:bcp:47"
ACT: Final = f"{TERMINOLOGY}/v3-ActCode"
US_CORE: Final = "http://hl7.org/fhir/us/core/StructureDefinition"

ORDINAL_VALUE: Final = "http://hl7.org/fhir/StructureDefinition/ordinalValue"
SUPPORT_GROUP: Final = f"{EXTENSIONS}/support-group"
ATTENDANCE: Final = f"{EXTENSIONS}/attendance"


@dataclass(frozen=True)
class Code:
    system: str
    code: str
    display: str


MEDICAL_RECORD = Code(f"{TERMINOLOGY}/v2-0203", "MR", "Medical record number")
PROVIDER = Code(f"{TERMINOLOGY}/organization-type", "prov", "Healthcare Provider")
SUPPORT_GROUPS = Code(f"{TERMINOLOGY}/service-type", "224", "Support Groups")
AMBULATORY = Code(ACT, "AMB", "ambulatory")
VIRTUAL = Code(ACT, "VR", "virtual")
SURVEY = Code(f"{TERMINOLOGY}/observation-category", "survey", "Survey")
UNKNOWN = Code(f"{TERMINOLOGY}/data-absent-reason", "unknown", "Unknown")
SAFETY = Code(f"{TERMINOLOGY}/flag-category", "safety", "Safety")
CANCELLED_BY_PATIENT = Code(f"{TERMINOLOGY}/appointment-cancellation-reason", "pat", "Patient")
CANCELLED_BY_PROVIDER = Code(f"{TERMINOLOGY}/appointment-cancellation-reason", "prov", "Provider")
PRIVACY = Code(f"{TERMINOLOGY}/consentscope", "patient-privacy", "Privacy Consent")
PATIENT_CONSENT = Code(LOINC, "59284-0", "Patient Consent")
OPT_IN = Code(ACT, "OPTIN", "opt-in")
OPT_OUT = Code(ACT, "OPTOUT", "opt-out")
PART_2 = Code(ACT, "42CFRPart2", "42 CFR Part2")
CONFIDENTIALITY: Final = f"{TERMINOLOGY}/v3-Confidentiality"
LABEL = {
    Label.NORMAL: Code(CONFIDENTIALITY, "N", "normal"),
    Label.RESTRICTED: Code(CONFIDENTIALITY, "R", "restricted"),
    Label.VERY_RESTRICTED: Code(CONFIDENTIALITY, "V", "very restricted"),
    Label.PSYCHIATRY: Code(ACT, "PSY", "psychiatry disorder information sensitivity"),
    Label.SUBSTANCE_USE: Code(ACT, "ETH", "substance abuse information sensitivity"),
    Label.VIOLENCE: Code(ACT, "SDV", "sexual assault, abuse, or domestic violence"),
    Label.PART_2: PART_2,
}
SDC_TEMPORARY: Final = "http://hl7.org/fhir/uv/sdc/CodeSystem/temp"  # of SDC 3.0.0
COMPLETE_QUESTIONNAIRE = Code(SDC_TEMPORARY, "complete-questionnaire", "Complete Questionnaire")
QUESTIONNAIRE = Code(SDC_TEMPORARY, "questionnaire", "Questionnaire")
QUESTIONNAIRE_RESPONSE = Code(SDC_TEMPORARY, "questionnaire-response", "Questionnaire Response")
REASON: Final = f"{TERMINOLOGY}/v3-ActReason"
PURPOSE = {
    Purpose.TREATMENT: Code(REASON, "TREAT", "treatment"),
    Purpose.PAYMENT: Code(REASON, "HPAYMT", "healthcare payment"),
    Purpose.OPERATIONS: Code(REASON, "HOPERAT", "healthcare operations"),
    Purpose.RESEARCH: Code(REASON, "HRESCH", "healthcare research"),
    Purpose.PUBLIC_HEALTH: Code(REASON, "PUBHLTH", "public health"),
    Purpose.PATIENT_REQUEST: Code(REASON, "PATRQT", "patient requested"),
    Purpose.MARKETING: Code(REASON, "HMARKT", "healthcare marketing"),
}
ACCESS = Code(f"{TERMINOLOGY}/consentaction", "access", "Access")
DISCLOSE = Code(f"{TERMINOLOGY}/consentaction", "disclose", "Disclose")
RECIPIENT = Code(f"{TERMINOLOGY}/v3-ParticipationType", "IRCP", "information recipient")


# The codes of this project: in none of the standards, or too licensed to use (CPT 90853).
GROUP_SESSION = Code(f"{LOCAL}/session-type", "group-session", "Group session")
PARTICIPATION = Code(
    f"{LOCAL}/participation-type", "group-participation", "Participation in a group programme"
)
FOLLOW_UP = Code(
    f"{LOCAL}/flag", "safety-follow-up", "Follow-up needed by a questionnaire's safety rule"
)
FACILITATION = {
    Facilitation.PEER: Code(f"{LOCAL}/facilitation", "peer", "Peer-led"),
    Facilitation.PROFESSIONAL: Code(f"{LOCAL}/facilitation", "professional", "Professionally led"),
    Facilitation.CO_LED: Code(
        f"{LOCAL}/facilitation", "co-led", "Led by a peer and a professional"
    ),
}
FACILITATOR = {
    Facilitation.PEER: Code(f"{LOCAL}/facilitator-role", "peer", "Peer facilitator"),
    Facilitation.PROFESSIONAL: Code(
        f"{LOCAL}/facilitator-role", "professional", "Professional facilitator"
    ),
    Facilitation.CO_LED: Code(f"{LOCAL}/facilitator-role", "co-led", "Co-facilitator"),
}
MODALITY = {
    Modality.IN_PERSON: Code(f"{LOCAL}/modality", "in-person", "Meets in person"),
    Modality.VIRTUAL: Code(f"{LOCAL}/modality", "virtual", "Meets by video"),
}
CATEGORY = {
    Category.ENROLLMENT: Code(f"{LOCAL}/consent-category", "enrollment", "Enrolment in groups"),
    Category.ATTENDANCE: Code(f"{LOCAL}/consent-category", "attendance", "Attendance of sessions"),
    Category.SCORES: Code(f"{LOCAL}/consent-category", "scores", "Questionnaire totals"),
    Category.ANSWERS: Code(f"{LOCAL}/consent-category", "answers", "Questionnaire answers"),
    Category.ALERTS: Code(f"{LOCAL}/consent-category", "alerts", "Safety alerts"),
    Category.SUMMARY: Code(f"{LOCAL}/consent-category", "summary", "Discharge summary"),
}
GROUP_NAME = Code(f"{LOCAL}/consent-category", "group-name", "The name of the group")
