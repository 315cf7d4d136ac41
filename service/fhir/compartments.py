"""The Patient compartment: what a document must fulfil to be in it.

From HL7's CompartmentDefinition/patient (R4, CC0-1.0), for the types served here. Two rules are
ours (DESIGN section 4): Task is in, by the patient whom it is for; Group is not, whoever is in it.
https://hl7.org/fhir/R4/compartmentdefinition-patient.html
"""

from collections.abc import Sequence

from service.fhir.search_values import Condition

PATIENT = "Patient"
PARAMETERS: dict[str, tuple[str, ...]] = {
    "Appointment": ("actor",),
    "CarePlan": ("patient", "performer"),
    "CareTeam": ("patient", "participant"),
    "Communication": ("subject", "sender", "recipient"),
    "Condition": ("patient", "asserter"),
    "Consent": ("patient",),
    "DocumentReference": ("subject", "author"),
    "Encounter": ("patient",),
    "EpisodeOfCare": ("patient",),
    "Flag": ("patient",),
    "Goal": ("patient",),
    "List": ("subject", "source"),
    "Observation": ("subject", "performer"),
    PATIENT: ("link",),
    "Provenance": ("patient",),
    "QuestionnaireResponse": ("subject", "author"),
    "RelatedPerson": ("patient",),
    "ServiceRequest": ("subject", "performer"),
    "Task": ("patient",),
}


def within(resource_type: str, patient: str, audiences: Sequence[int]) -> Condition:
    """Return the condition that a document of this type is in the patient's compartment.

    `patient` is the id under which the Patient is stored.
    """
    names, own = PARAMETERS[resource_type], ", ".join("?" * len(audiences))
    marks = ", ".join("?" * len(names))
    sql = (
        f"d.number IN (SELECT c.number FROM documents c WHERE c.audience IN ({own})"  # noqa: S608
        " AND c.type = ? AND c.subject = ?"
        f" UNION ALL SELECT r.document FROM document_references r WHERE r.audience IN ({own})"
        f" AND r.target = ? AND r.type = ? AND r.param IN ({marks}))"
    )
    about = (*audiences, resource_type, patient)
    return Condition(sql, (*about, *audiences, patient, resource_type, *names))
