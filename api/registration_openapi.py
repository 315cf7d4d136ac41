"""What the OpenAPI document says of software that registers itself.

https://www.rfc-editor.org/rfc/rfc7591
https://www.rfc-editor.org/rfc/rfc7592
"""

from typing import Any

from service.smart.discovery import REGISTER

Json = dict[str, Any]

TEXT = {"type": "string"}
TEXTS = {"type": "array", "items": TEXT}
METADATA: Json = {
    "type": "object",
    "properties": {
        "client_name": TEXT,
        "token_endpoint_auth_method": TEXT,
        "token_endpoint_auth_signing_alg": TEXT,
        "jwks_uri": TEXT,
        "jwks": {"type": "object"},
        "scope": {**TEXT, "description": "As much as the invitation allows, or less"},
        "grant_types": TEXTS,
        "contacts": TEXTS,
    },
}
CHANGED: Json = {
    **METADATA,
    "required": ["client_id"],
    "properties": {"client_id": TEXT, **METADATA["properties"]},
}
SENT: Json = {
    "client_name": "Harbor analytics",
    "token_endpoint_auth_method": "private_key_jwt",
    "jwks_uri": "https://harbor.example/jwks.json",
    "scope": "system/Encounter.rs",
}
NAME = "sw-5f0c2a4e61b2c3d4e5f60718"
REGISTERED: Json = {
    **SENT,
    "client_id": NAME,
    "client_id_issued_at": 1795766400,
    "grant_types": ["client_credentials"],
    "response_types": [],
    "registration_access_token": "p7hXvGq0c2V0IG9mIDI1NiByYW5kb20gYml0cyBoZXJl",
    "registration_client_uri": f"https://groups.example.org{REGISTER}/{NAME}",
}
WRONG = {"error": "invalid_client_metadata", "error_description": "scope is empty"}
REFUSED = {"error": "invalid_token", "error_description": "the token is not one of ours"}
TOO_MANY = {"error": "temporarily_unavailable", "error_description": "too many requests"}
CLOSED = {"error": "temporarily_unavailable", "error_description": "closed for maintenance"}
CLIENT = {"name": "client_id", "in": "path", "required": True, "schema": TEXT, "example": NAME}


def paths() -> Json:
    """Return the addresses of registration, and of what is said about it."""
    own = {"get": _show(), "put": _change(), "delete": _remove(), "parameters": [CLIENT]}
    return {REGISTER: {"post": _register()}, f"{REGISTER}/{{client_id}}": own}


def _register() -> Json:
    said = "RFC 7591; the bearer token is that of an invitation, `alongside clients invite`."
    found = _operation("registerClient", "Register software by an invitation", said)
    found["requestBody"] = _body(METADATA, SENT)
    answer = _reply("What is registered, with what the client administers it by", REGISTERED)
    found["responses"] = {"201": answer, **_refusals("A member is wrong", WRONG)}
    return found


def _show() -> Json:
    said = "RFC 7592; the bearer token is the registration access token."
    found = _operation("readRegistration", "Read what is registered", said)
    found["responses"] = {"200": _reply("What is registered", REGISTERED), **_refusals()}
    return found


def _change() -> Json:
    said = "RFC 7592; what is left out is as if it had never been said."
    found = _operation("updateRegistration", "Replace what is registered", said)
    found["requestBody"] = _body(CHANGED, {"client_id": NAME, **SENT})
    answer = _reply("What is registered now", REGISTERED)
    found["responses"] = {"200": answer, **_refusals("A member is wrong", WRONG)}
    return found


def _remove() -> Json:
    said = "RFC 7592; the tokens that the client holds end with it."
    found = _operation("deleteRegistration", "End the client", said)
    found["responses"] = {"204": {"description": "It has ended"}, **_refusals()}
    return found


def _operation(name: str, summary: str, description: str) -> Json:
    return {
        "tags": ["Tokens"], "operationId": name, "summary": summary, "description": description,
        "security": [{"bearer": []}],
    }  # fmt: skip


def _body(schema: Json, example: Json) -> Json:
    return {
        "required": True,
        "content": {"application/json": {"schema": schema, "example": example}},
    }


def _refusals(description: str = "", example: Json | None = None) -> Json:
    found = {
        "401": _reply("The bearer token is not the one for this", REFUSED),
        "429": _reply("Too many requests; Retry-After says when to come back", TOO_MANY),
        "503": _reply("Closed for maintenance; Retry-After says for how long", CLOSED),
    }
    return {"400": _reply(description, example), **found} if example else found


def _reply(description: str, example: Json) -> Json:
    content = {"application/json": {"schema": {"type": "object"}, "example": example}}
    return {"description": description, "content": content}
