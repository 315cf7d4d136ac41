"""Hostile values in every parameter of /oauth: an OAuth error, never a failure of ours.

https://www.rfc-editor.org/rfc/rfc6749#section-5.2
"""

import re
from urllib.parse import quote

import pytest

from service import database
from service.smart.clients import Keys, NewClient, add_client
from tests.api.served import BASE
from tests.assertions import claims, form, jwk_set, rsa, signed

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SAYABLE = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]*")
VALUES = [
    '"', "\\", "ü", "\U0001f4a5", "\x00", "\r\nX-Injected: 1", "x" * 10_240, "", " ", "%", "\ud83d",
    "?", "system/Patient.rs?category=x", "../..", "null", "[]", "{}", "1e400",
]  # fmt: skip
NAMES = [
    "grant_type", "scope", "client_id", "client_secret", "client_assertion_type",
    "client_assertion", "token", "token_type_hint", "redirect_uri", "response_type", "state", "x",
]  # fmt: skip
PATHS = ["/oauth/token", "/oauth/introspect", "/oauth/revoke"]


def encoded(fields: list[tuple[str, str]]) -> bytes:
    return "&".join(
        f"{quote(name)}={quote(value, errors='surrogatepass')}" for name, value in fields
    ).encode()


def is_an_oauth_error(answer) -> None:
    assert answer.status_code in (400, 401), answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
    assert "x-injected" not in answer.headers
    body = answer.json()
    for name in ("error", "error_description"):
        assert SAYABLE.fullmatch(body.get(name, "")), body
        assert len(body.get(name, "")) < 300


@pytest.fixture
def good(served_on_sqlite):
    """The fields of a good request, new each time."""
    new = NewClient(name="harbor", scopes=("system/*.rs",), keys=Keys(jwks=jwk_set(rsa())))
    served_on_sqlite.context.database.unit_of_work(lambda session: add_client(session, new))

    def fields() -> dict[str, str]:
        text = signed(rsa(), claims("harbor", f"{BASE}/oauth/token"))
        return {**form(text), "token": "x"}

    return fields


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_value_is_an_error_or_of_no_matter(served_on_sqlite, good, path, name):
    for value in VALUES:
        fields = {**good(), name: value}
        answer = served_on_sqlite.client.post(
            path, content=encoded(list(fields.items())), headers=FORM
        )
        if answer.status_code == 200:  # what the address does not look at
            assert name not in ("client_assertion", "client_assertion_type", "client_secret")
        else:
            is_an_oauth_error(answer)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", NAMES)
def test_a_repeated_parameter_is_an_error(served_on_sqlite, good, path, name):
    fields = [*good().items(), (name, "a"), (name, "b")]
    answer = served_on_sqlite.client.post(path, content=encoded(fields), headers=FORM)
    is_an_oauth_error(answer)
    assert answer.json()["error"] == "invalid_request"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "header",
    [b"Basic \xff", b"Basic eA==", b"Basic Og==", b"Basic " + b"eDp5" * 2000, b'"', b"Bearer \xff",
     b"Bearer " + b"x" * 10_000, b"Digest x", b"Basic ww==", b"Basic AAA6AAA=", b""],
)  # fmt: skip
def test_a_hostile_authorization_header_is_an_error(served_on_sqlite, path, header):
    fields = [("grant_type", "client_credentials"), ("scope", "system/*.rs"), ("token", "x")]
    headers = {"Content-Type": FORM["Content-Type"], "Authorization": header}
    answer = served_on_sqlite.client.post(path, content=encoded(fields), headers=headers)
    is_an_oauth_error(answer)


@pytest.mark.parametrize(
    ("scope", "reason"),
    [
        ("system/Patient.rs?", "after the question mark comes parameter=value"),
        ("system/Patient.rs?name", "after the question mark comes parameter=value"),
        ("system/Patient.rs?name=a%ff", "no UTF-8 text"),
        ("system/Patient.rs?name=%00", "no UTF-8 text"),
        ("system/Patient.rs?name=a%2Bb+c", "cannot be granted"),
        ("system/Patient.rs?color=x", "color: not a search parameter of Patient here"),
        ("system/*.rs?code=x", "code: not a search parameter of"),
        ("system/*.rs system/Nothing.read?name=x", "Nothing is not served here"),
        ("system/Observation.rs?patient.name=x", "chains are not taken in a scope"),
        ("system/Patient.rs?_has:Observation:patient:code=x", "chains are not taken in a scope"),
        ("system/Patient.rs?_lastUpdated=gt2026", "it changes with every version"),
        ("system/Patient.rs?_lastUpdated:missing=true", "it changes with every version"),
        ("system/Patient.rs?_include=*", "_include: not a search parameter of Patient here"),
        ("system/Patient.rs?_revinclude=Task:patient", "not a search parameter of Patient here"),
        ("system/Patient.rs?_count=1", "_count: not a search parameter of Patient here"),
        ("system/Patient.rs?_filter=name", "_filter: not a search parameter of Patient here"),
        ("system/Patient.rs?_text=x", "_text: not a search parameter of Patient here"),
        ("system/Patient.rs?name:sounds=x", "name:sounds: the modifier is not supported"),
        ("system/Observation.rs?code:above=x", "code:above: the modifier is not supported"),
        ("system/Observation.rs?code:in=http://nowhere", "code:in"),
        ("system/Observation.rs?date=yesterday", "date:"),
        ("system/Patient.rs?name=,", "the parameter has no value"),
        (" ".join(f"system/Patient.r?name={n}" for n in range(51)), "more than 50 scopes"),
        ("system/*.rs?_tag=" + ",".join("abcdefgh" * 10), "the scopes have too many values"),
        ("patient/Patient.rs?name=x", "only system/ is granted here"),
    ],
)
def test_a_granular_scope_that_cannot_be_executed_is_refused_with_the_reason(
    served_on_sqlite, good, scope, reason
):
    answer = served_on_sqlite.client.post("/oauth/token", data={**good(), "scope": scope})
    is_an_oauth_error(answer)
    assert answer.json()["error"] == "invalid_scope"
    assert reason in answer.json()["error_description"]


@pytest.mark.parametrize(
    "scope",
    ["system/Patient.sr", "system/Patient.", "system/Patient.x", "system/patient.rs", "system/*",
     "patient/*.rs", "user/*.rs", "openid", "offline_access", "system/Patient.rs,system/Flag.rs",
     "system/Patient.readwrite", "SYSTEM/*.rs", "system/*.write", "system/*.c"],
)  # fmt: skip
def test_what_is_no_scope_here_or_not_the_clients_is_refused(served_on_sqlite, good, scope):
    answer = served_on_sqlite.client.post("/oauth/token", data={**good(), "scope": scope})
    is_an_oauth_error(answer)
    assert answer.json()["error"] == "invalid_scope"


@pytest.mark.parametrize("scope", ["system/*.rs", "system/Patient.r", "system/*.read"])
def test_a_scope_of_either_version_is_given_as_it_was_asked(served_on_sqlite, good, scope):
    answer = served_on_sqlite.client.post("/oauth/token", data={**good(), "scope": scope})
    assert (answer.status_code, answer.json()["scope"]) == (200, scope)


def test_when_the_database_is_busy_an_oauth_client_is_told_so(served_on_sqlite, good, monkeypatch):
    monkeypatch.setattr(database, "ATTEMPTS", 0)
    answer = served_on_sqlite.client.post("/oauth/token", data=good())
    assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
    assert answer.headers["retry-after"] == "1"
