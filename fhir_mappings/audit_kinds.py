"""Which of BALP's patterns an audit row is of: type, subtype, action and who plays which part.

https://profiles.ihe.net/ITI/BALP/content.html
https://hl7.org/fhir/R4/valueset-audit-event-type.html
"""

from dataclasses import dataclass, replace
from typing import Any

Coding = dict[str, Any]

PROFILE = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/"
BALP = "https://profiles.ihe.net/ITI/BALP/CodeSystem/"
DCM = "http://dicom.nema.org/resources/ontology/DCM"
INTERACTION = "http://hl7.org/fhir/restful-interaction"
REST = {
    "system": "http://terminology.hl7.org/CodeSystem/audit-event-type",
    "code": "rest",
    "display": "Restful Operation",
}
LIFECYCLE = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
CUSTODIAN = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
REFUSED = frozenset({401, 403})
BY_CONSENT = frozenset({"consent", "label", "redacted"})


def dcm(code: str, display: str) -> Coding:
    return {"system": DCM, "code": code, "display": display}


APPLICATION = dcm("110150", "Application")
TO = dcm("110152", "Destination Role ID")
FROM = dcm("110153", "Source Role ID")
AUTHORIZER = {"system": f"{BALP}UserAgentTypes", "code": "AuthzOauthService"}


@dataclass(frozen=True)
class Shape:
    """What events of one pattern have in common; `user` is the part that a person plays."""

    type: Coding
    subtype: tuple[Coding, ...]
    action: str
    client: Coding
    server: Coding
    profile: str | None = None
    user: str = "IRCP"
    is_query: bool = False


def _rest(code: str, action: str, profile: str) -> Shape:
    subtype = ({"system": INTERACTION, "code": code, "display": code},)
    return Shape(REST, subtype, action, FROM, TO, profile, user="AUT")


def _command(code: str, display: str, action: str = "E") -> Shape:
    return Shape(dcm(code, display), (), action, APPLICATION, TO)


READ = replace(_rest("read", "R", "Read"), client=TO, server=FROM, user="IRCP")
VREAD = replace(READ, subtype=({"system": INTERACTION, "code": "vread", "display": "vread"},))
QUERY = replace(_rest("search", "E", "Query"), user="IRCP", is_query=True)
OPERATION = replace(
    QUERY, subtype=({"system": INTERACTION, "code": "operation", "display": "operation"},),
    profile=None,
)  # fmt: skip
HISTORY = replace(
    OPERATION, subtype=({"system": INTERACTION, "code": "history", "display": "history"},)
)
BUNDLE = replace(
    OPERATION, subtype=(), is_query=False
)  # a row does not tell batch from transaction
CREATE = _rest("create", "C", "Create")
UPDATE = _rest("update", "U", "Update")
PATCH = replace(UPDATE, subtype=({"system": INTERACTION, "code": "patch", "display": "patch"},))
DELETE = replace(
    _rest("delete", "D", "Delete"), client=APPLICATION,
    server={"system": CUSTODIAN, "code": "custodian", "display": "Custodian"},
    profile=None,  # which would close the list of entities to the request's id
)  # fmt: skip
LOGIN = Shape(
    dcm("110114", "User Authentication"),
    ({"system": "urn:ihe:event-type-code", "code": "ITI-71", "display": "Get Access Token"},),
    "E", APPLICATION, AUTHORIZER, is_query=True,
)  # fmt: skip
REFUSAL = Shape(
    dcm("110113", "Security Alert"),
    ({"system": f"{BALP}AuthZsubType", "code": "AuthZ-Role"},),
    "E", APPLICATION,
    {"system": "http://terminology.hl7.org/CodeSystem/extra-security-role-type",
     "code": "authserver", "display": "authorization server"},
)  # fmt: skip
BY_CONSENT_REFUSED = replace(
    REFUSAL, subtype=({"system": f"{BALP}AuthZsubType", "code": "AuthZ-Consent"},)
)
DISCLOSURE = Shape(
    dcm("110106", "Export"),
    ({"system": LIFECYCLE, "code": "disclose", "display": "Disclose Record Lifecycle Event"},),
    "R", TO, FROM, "PrivacyDisclosure.Source",
)  # fmt: skip
ADMINISTRATION = _command("110100", "Application Activity")
ACCOUNTS = _command("110137", "User Security Attributes Changed", "U")
AUDIT_USED = replace(_command("110101", "Audit Log Used", "R"), is_query=True)

BY_METHOD = {"POST": CREATE, "PUT": UPDATE, "PATCH": PATCH, "DELETE": DELETE}


def shape_of(method: str, route: str, status: int, decision: str | None, kind: str | None) -> Shape:
    """Return the pattern of a row."""
    if kind == "disclosure":
        return DISCLOSURE
    if route.startswith("/oauth/"):
        return LOGIN
    if decision in BY_CONSENT:
        return BY_CONSENT_REFUSED
    if status in REFUSED:
        return REFUSAL
    return _administrative(method, route) or _restful(method, route)


def _administrative(method: str, route: str) -> Shape | None:
    if route.startswith(("/fhir/AuditEvent", "/v1/audit")) or route.endswith("/disclosures"):
        return AUDIT_USED
    if route.startswith(("/v1/clients", "clients/", "issuers/", "token", "keys/")):
        return ACCOUNTS
    return ADMINISTRATION if method == "CLI" else None


def _restful(method: str, route: str) -> Shape:
    last = route.rpartition("/")[2]
    if last.startswith("$") or last == "_history":
        return HISTORY if last == "_history" else OPERATION
    if method == "POST" and last in {"_search", "fhir"}:
        return QUERY if last == "_search" else BUNDLE
    if method in BY_METHOD:
        return BY_METHOD[method]
    if last.startswith("{") and last.endswith("}"):
        return VREAD if "/_history/" in route else READ
    return QUERY
