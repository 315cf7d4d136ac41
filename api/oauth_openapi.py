"""What the OpenAPI document says of tokens: how they are had, asked about and ended.

https://www.rfc-editor.org/rfc/rfc6749
"""

from typing import Any

from service.smart.assertions import ASSERTION_TYPE
from service.smart.discovery import INTROSPECT, JWKS, REVOKE, TOKEN, smart_configuration

Json = dict[str, Any]

FORM = "application/x-www-form-urlencoded"
SCHEMES: Json = {
    "clientSecret": {"type": "http", "scheme": "basic"},
    "bearer": {"type": "http", "scheme": "bearer"},
}
TEXT = {"type": "string"}
BY_FORM = {**TEXT, "description": "Where HTTP Basic is not used"}
PROOF: Json = {
    "client_id": BY_FORM,
    "client_secret": BY_FORM,
    "client_assertion_type": {"const": ASSERTION_TYPE},
    "client_assertion": {
        **TEXT,
        "description": "Of a client with keys: a JWT with RS384 or ES384, of one use",
    },
}
TOKEN_FORM = {
    "type": "object",
    "required": ["grant_type", "scope"],
    "properties": {"grant_type": {"const": "client_credentials"}, "scope": TEXT, **PROOF},
}
ABOUT_FORM = {
    "type": "object",
    "required": ["token"],
    "properties": {"token": TEXT, "token_type_hint": TEXT, **PROOF},
}
A_TOKEN = "p7hXvGq0c2V0IG9mIDI1NiByYW5kb20gYml0cyBoZXJl"  # noqa: S105 - an example
TOKEN_REPLY = {
    "access_token": A_TOKEN,
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "system/*.rs",
}
ACTIVE = {
    "active": True,
    "scope": "system/*.rs",
    "client_id": "hospital-a",
    "token_type": "Bearer",
    "iat": 1795766400,
    "exp": 1795766700,
}
REFUSED = {"error": "invalid_client", "error_description": "Client authentication failed"}
WRONG = {"error": "invalid_scope", "error_description": "this client may not have: v1.write"}
CLOSED = {"error": "temporarily_unavailable", "error_description": "closed for maintenance"}
TOO_MANY = {"error": "temporarily_unavailable", "error_description": "too many requests"}
INCOMPLETE = {"error": "invalid_request", "error_description": "token is required"}
KEYS = {
    "keys": [
        {
            "kid": "0199b7c26c1f7a539d3e5b8f0c2a4e61",
            "use": "sig",
            "alg": "ES384",
            "kty": "EC",
            "crv": "P-384",
            "x": "tX8BX0NhvZ0XaP2Fe7P1sGOvqTn0rTz8nCtkPKJpBJmJtAUY0PEXjM3e0PI9P8Xf",
            "y": "kAMlBTMtO2bAxAGM1Ya0XiVYhQTsuFLaLZaLD4qJPCmWQpU2AVYnMaEsIuZXnBYA",
        }
    ]
}
BY_CLIENT: list[Json] = [{"clientSecret": []}, {}]


def paths() -> Json:
    """Return the addresses of the authorization server, and of what is said about it."""
    return {
        "/fhir/.well-known/smart-configuration": {"get": _configuration()},
        TOKEN: {"post": _token()},
        INTROSPECT: {"post": _introspect()},
        REVOKE: {"post": _revoke()},
        JWKS: {"get": _jwks()},
    }


def _configuration() -> Json:
    found = _operation("smartConfiguration", "Where tokens are had, and how a client proves itself")
    found["security"] = []
    example = smart_configuration("http://127.0.0.1:8000")
    found["responses"] = {"200": _reply("SMART App Launch 2.2.0", example)}
    return found


def _token() -> Json:
    found = _operation("token", "Get an access token")
    found["description"] = (
        "RFC 6749, client credentials, with a secret or as SMART Backend Services with a signed"
        " assertion; or `alongside token` at the shell."
    )
    found["security"] = BY_CLIENT
    example = {"grant_type": "client_credentials", "scope": "system/*.rs"}
    found["requestBody"] = _body(TOKEN_FORM, example)
    found["responses"] = {
        "200": _reply("A token; it is not to be stored", TOKEN_REPLY),
        **_refusals("The request is wrong, or the scope is not to be had", WRONG),
    }
    return found


def _introspect() -> Json:
    found = _operation("introspect", "Ask what a token is worth")
    found["description"] = "RFC 7662; of a token that is of no use: active false, and no more."
    found["security"] = [*BY_CLIENT, {"bearer": []}]
    found["requestBody"] = _body(ABOUT_FORM, {"token": A_TOKEN})
    found["responses"] = {
        "200": _reply("Whether it is active", ACTIVE),
        **_refusals("The request is wrong", INCOMPLETE),
    }
    return found


def _revoke() -> Json:
    found = _operation("revoke", "End a token before its time")
    found["description"] = "RFC 7009; a client ends its own tokens, and of others is told nothing."
    found["security"] = BY_CLIENT
    found["requestBody"] = _body(ABOUT_FORM, {"token": A_TOKEN})
    found["responses"] = {
        "200": _reply("It is not a token of this client, or no longer", {}),
        **_refusals("The request is wrong", INCOMPLETE),
    }
    return found


def _jwks() -> Json:
    found = _operation("jwks", "The public keys of what this service signs")
    found["security"] = []
    found["responses"] = {"200": _reply("A JWK Set (RFC 7517); no key is secret", KEYS)}
    return found


def _operation(name: str, summary: str) -> Json:
    return {"tags": ["Tokens"], "operationId": name, "summary": summary}


def _body(schema: Json, example: Json) -> Json:
    return {"required": True, "content": {FORM: {"schema": schema, "example": example}}}


def _refusals(description: str, example: Json) -> Json:
    return {
        "400": _reply(description, example),
        "401": _reply("The client did not prove who it is", REFUSED),
        "429": _reply("Too many requests; Retry-After says when to come back", TOO_MANY),
        "503": _reply("Closed for maintenance; Retry-After says for how long", CLOSED),
    }


def _reply(description: str, example: Json) -> Json:
    content = {"application/json": {"schema": {"type": "object"}, "example": example}}
    return {"description": description, "content": content}
