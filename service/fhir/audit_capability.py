"""What the CapabilityStatement says of AuditEvents, which are rendered when they are read.

https://hl7.org/fhir/R4/auditevent.html#search
"""

from typing import Any

DEFINITION = "http://hl7.org/fhir/SearchParameter/AuditEvent-"
PROFILE = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
PROFILES = (
    "Create", "PatientCreate", "PatientQuery", "PatientRead", "PatientUpdate", "Query", "Read",
    "Update",
)  # fmt: skip
AUDIT_PARAMETERS = {
    "action": "token",
    "address": "string",
    "agent-name": "string",
    "date": "date",
    "entity": "reference",
    "entity-role": "token",
    "entity-type": "token",
    "outcome": "token",
    "patient": "reference",
    "subtype": "token",
    "type": "token",
}
RESOURCE = "http://hl7.org/fhir/SearchParameter/Resource-"
AUDIT_EVENTS: dict[str, Any] = {
    "type": "AuditEvent",
    "supportedProfile": [PROFILE + name for name in PROFILES],
    "documentation": (
        "For the privacy officer's client alone: of its hospital's own clients, or as the"
        " programme of all. The newest come first. `agent-name` is the client's or person's name."
    ),
    "interaction": [{"code": "read"}, {"code": "search-type"}],
    "versioning": "no-version",
    "searchParam": [
        {"name": "_id", "type": "token", "definition": f"{RESOURCE}id"},
        {"name": "_lastUpdated", "type": "date", "definition": f"{RESOURCE}lastUpdated"},
        *(
            {"name": name, "definition": DEFINITION + name, "type": kind}
            for name, kind in AUDIT_PARAMETERS.items()
        ),
    ],
}
