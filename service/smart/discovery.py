"""What the authorization server says of itself: only what is executed, at the public address.

https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html
"""

from typing import Any

from service.identifiers import keyed_id
from service.smart.authentication import CLIENT_CREDENTIALS, METHODS
from service.smart.keys import ALGORITHMS

TOKEN, INTROSPECT, REVOKE = "/oauth/token", "/oauth/introspect", "/oauth/revoke"
JWKS = "/oauth/jwks"
REGISTER = "/oauth/register"
CONFIGURATION = "/fhir/.well-known/smart-configuration"
INSTALLATION = "X-Alongside-Installation"
HL7 = "http://terminology.hl7.org/CodeSystem/"
US_CORE = "http://hl7.org/fhir/us/core/CodeSystem/"
CONDITIONS = (
    f"{HL7}condition-category|encounter-diagnosis",
    f"{HL7}condition-category|problem-list-item",
    f"{US_CORE}condition-category|health-concern",
)
OBSERVATIONS = (
    f"{HL7}observation-category|laboratory",
    f"{HL7}observation-category|social-history",
    f"{HL7}observation-category|survey",
    f"{HL7}observation-category|vital-signs",
    f"{US_CORE}us-core-category|sdoh",
)
# Any narrower scope can be had too: these are the widest, in the spelling of SMART 2 and 1, and
# those of US Core that take a category.
SCOPES = (
    "system/*.cruds",
    "system/*.rs",
    "system/*.read",
    "system/*.write",
    "system/*.*",
    *(f"system/Condition.rs?category={category}" for category in CONDITIONS),
    *(f"system/Observation.rs?category={category}" for category in OBSERVATIONS),
    "v1.read",
    "v1.write",
    "v1.coordinate",
    "v1.admin",
)
CAPABILITIES = (
    "client-confidential-symmetric",
    "client-confidential-asymmetric",
    "permission-v1",
    "permission-v2",
)


def smart_configuration(public_base: str) -> dict[str, Any]:
    """Return the document at `.well-known/smart-configuration` below the FHIR endpoint."""
    return {
        "token_endpoint": public_base + TOKEN,
        "grant_types_supported": [CLIENT_CREDENTIALS],
        "token_endpoint_auth_methods_supported": METHODS,
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "scopes_supported": list(SCOPES),
        "jwks_uri": public_base + JWKS,
        "registration_endpoint": public_base + REGISTER,
        "introspection_endpoint": public_base + INTROSPECT,
        "revocation_endpoint": public_base + REVOKE,
        "capabilities": list(CAPABILITIES),
    }


def installation_mark(key: bytes) -> str:
    """Return what tells this installation from another; nothing else follows from it."""
    return keyed_id(key, "installation", "mark")


def oauth_uris(public_base: str) -> dict[str, str]:
    """Return the addresses as the CapabilityStatement names them."""
    return {
        "token": public_base + TOKEN,
        "introspect": public_base + INTROSPECT,
        "revoke": public_base + REVOKE,
        "register": public_base + REGISTER,
    }
