"""Every address where OAuth is spoken, with the parameters that it looks at; the list is one.

A test compares it with the routes, so that a new address cannot be forgotten.
"""

from dataclasses import dataclass

PROOF = ("client_id", "client_secret", "client_assertion_type", "client_assertion")
OTHERS = ("redirect_uri", "response_type", "state", "code", "refresh_token", "x")
ABOUT = ("token", "token_type_hint")
METADATA = (
    "client_name", "client_uri", "logo_uri", "tos_uri", "policy_uri", "contacts", "software_id",
    "software_version", "software_statement", "redirect_uris", "token_endpoint_auth_method",
    "token_endpoint_auth_signing_alg", "grant_types", "response_types", "scope", "jwks",
    "jwks_uri", "x",
)  # fmt: skip
OF_A_CLIENT = (
    "client_id", "client_secret", "registration_access_token", "registration_client_uri",
    "client_secret_expires_at", "client_id_issued_at",
)  # fmt: skip


@dataclass(frozen=True)
class Address:
    """One method of one address; its parameters are a form's, or members of JSON."""

    method: str
    path: str
    parameters: tuple[str, ...]
    is_form: bool = True

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


ADDRESSES = (
    Address("POST", "/oauth/token", ("grant_type", "scope", *PROOF, *OTHERS)),
    Address("POST", "/oauth/introspect", (*ABOUT, *PROOF, *OTHERS)),
    Address("POST", "/oauth/revoke", (*ABOUT, *PROOF, *OTHERS)),
    Address("POST", "/oauth/register", METADATA, is_form=False),
    Address("PUT", "/oauth/register/{client_id}", (*METADATA, *OF_A_CLIENT), is_form=False),
    Address("GET", "/oauth/register/{client_id}", (), is_form=False),
    Address("DELETE", "/oauth/register/{client_id}", (), is_form=False),
    Address("GET", "/oauth/jwks", (), is_form=False),
)
FORMS = [each for each in ADDRESSES if each.is_form]
DOCUMENTS = [each for each in ADDRESSES if each.parameters and not each.is_form]
ADMITTING = [each for each in ADDRESSES if each.path != "/oauth/jwks"]
