"""Hostile values in every parameter of every OAuth address: an OAuth error, no failure of ours.

https://www.rfc-editor.org/rfc/rfc6749#section-5.2
"""

import json
import re
from typing import Any
from urllib.parse import quote

import pytest

from service import database
from service.smart.clients import Keys, NewClient, add_client
from tests.api.oauth_endpoints import ADDRESSES, ADMITTING, DOCUMENTS, FORMS, Address
from tests.api.registering import bearer, invited, registered
from tests.api.served import BASE, Served
from tests.assertions import claims, form, jwk_set, rsa, signed

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
SAYABLE = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]*")
VALUES = [
    '"', "\\", "ü", "\U0001f4a5", "\x00", "\r\nX-Injected: 1", "x" * 10_240, "", " ", "%", "\ud83d",
    "?", "system/Patient.rs?category=x", "../..", "null", "[]", "{}", "1e400",
]  # fmt: skip
# What JSON has beside text; a text at the end of each, where a list of texts is looked for.
OF_JSON: list[Any] = [0, -1, 1e308, True, False, [], {}, [[]], {"a": {}}, [None], ["x", 5], ["a"]]
HEADERS = [
    b"Basic \xff", b"Basic eA==", b"Basic Og==", b"Basic " + b"eDp5" * 2000, b'"', b"Bearer \xff",
    b"Bearer " + b"x" * 10_000, b"Digest x", b"Basic ww==", b"Basic AAA6AAA=", b"", b"Bearer",
    b"Bearer \x22\x5c", b"Bearer a b",
]  # fmt: skip


def pairs(addresses: list[Address]) -> Any:
    """Every parameter of every address."""
    found = [(each, name) for each in addresses for name in each.parameters]
    names = [f"{each}-{name}" for each, name in found]
    return pytest.mark.parametrize(("address", "name"), found, ids=names)


every_address = pytest.mark.parametrize("address", ADMITTING, ids=str)


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


@pytest.fixture(scope="module")
def good(unlimited):
    """The fields of a good request, new each time."""
    new = NewClient(name="harbor", scopes=("system/*.rs",), keys=Keys(jwks=jwk_set(rsa())))
    unlimited.context.database.unit_of_work(lambda session: add_client(session, new))

    def fields() -> dict[str, str]:
        text = signed(rsa(), claims("harbor", f"{BASE}/oauth/token"))
        return {**form(text), "token": "x"}

    return fields


@pytest.fixture(scope="module")
def own(unlimited) -> dict[str, Any]:
    """A client that registered itself."""
    return registered(unlimited)


def send(served: Served, address: Address, own: dict[str, Any], body: bytes) -> Any:
    """Send it with the token that the address wants."""
    token = own["registration_access_token"] if "{" in address.path else invited(served)
    path = address.path.format(client_id=own["client_id"])
    headers = {**bearer(token), **JSON}
    return served.client.request(address.method, path, content=body, headers=headers)


def test_the_list_has_every_address_that_is_served(unlimited):
    routes = [each.path for each in unlimited.client.app.routes if hasattr(each, "path")]
    assert {each for each in routes if each.startswith("/oauth/")} == {
        each.path for each in ADDRESSES
    }


@pairs(FORMS)
def test_a_hostile_value_is_an_error_or_of_no_matter(unlimited, good, address, name):
    for value in VALUES:
        fields = {**good(), name: value}
        answer = unlimited.client.post(
            address.path, content=encoded(list(fields.items())), headers=FORM
        )
        if answer.status_code == 200:  # what the address does not look at
            assert name not in ("client_assertion", "client_assertion_type", "client_secret")
        else:
            is_an_oauth_error(answer)


@pairs(FORMS)
def test_a_repeated_parameter_is_an_error(unlimited, good, address, name):
    fields = [*good().items(), (name, "a"), (name, "b")]
    answer = unlimited.client.post(address.path, content=encoded(fields), headers=FORM)
    is_an_oauth_error(answer)
    assert answer.json()["error"] == "invalid_request"


@pairs(DOCUMENTS)
def test_a_hostile_member_is_an_error_or_of_no_matter(unlimited, own, address, name):
    for value in [*VALUES, *OF_JSON]:
        document = {"client_id": own["client_id"], name: value}
        body = json.dumps(document).encode()
        answer = send(unlimited, address, own, body)
        if answer.status_code not in (200, 201):
            is_an_oauth_error(answer)
        else:
            kept = answer.json()
            assert (kept["client_id"] == own["client_id"]) is (address.method == "PUT")
            assert set(kept["scope"].split()) <= set(own["scope"].split())


@pairs(DOCUMENTS)
def test_a_repeated_member_is_an_error(unlimited, own, address, name):
    repeated = f'{{"client_id": "{own["client_id"]}", "{name}": "a", "{name}": "b"}}'
    answer = send(unlimited, address, own, repeated.encode())
    is_an_oauth_error(answer)


@every_address
@pytest.mark.parametrize("header", HEADERS)
def test_a_hostile_authorization_header_is_an_error(unlimited, address, header):
    fields = [("grant_type", "client_credentials"), ("scope", "system/*.rs"), ("token", "x")]
    kind, body = (FORM, encoded(fields)) if address.is_form else (JSON, b"{}")
    path = address.path.format(client_id="sw-x")
    headers = {**kind, "Authorization": header}
    answer = unlimited.client.request(address.method, path, content=body, headers=headers)
    is_an_oauth_error(answer)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_hostile_name_of_a_client_is_an_error(unlimited, own, method):
    for value in [each for each in VALUES if each.strip("./ ")]:
        path = f"/oauth/register/{quote(value, safe='', errors='surrogatepass')}"
        headers = {**bearer(own["registration_access_token"]), **JSON}
        answer = unlimited.client.request(method, path, content=b"{}", headers=headers)
        if answer.status_code == 404:  # a slash makes it another address
            assert "/" in value
        else:
            is_an_oauth_error(answer)


@every_address
def test_a_hostile_query_is_of_no_matter(unlimited, address):
    path = address.path.format(client_id="sw-x") + "?token=%22%5C&scope=%ff&scope=%00&client_id=%C3"
    kind, body = (FORM, b"token=x") if address.is_form else (JSON, b"{}")
    is_an_oauth_error(unlimited.client.request(address.method, path, content=body, headers=kind))


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
    unlimited, good, scope, reason
):
    answer = unlimited.client.post("/oauth/token", data={**good(), "scope": scope})
    is_an_oauth_error(answer)
    assert answer.json()["error"] == "invalid_scope"
    assert reason in answer.json()["error_description"]


@pytest.mark.parametrize(
    "scope",
    ["system/Patient.sr", "system/Patient.", "system/Patient.x", "system/patient.rs", "system/*",
     "patient/*.rs", "user/*.rs", "openid", "offline_access", "system/Patient.rs,system/Flag.rs",
     "system/Patient.readwrite", "SYSTEM/*.rs", "system/*.write", "system/*.c"],
)  # fmt: skip
def test_what_is_no_scope_here_or_not_the_clients_is_refused(unlimited, good, scope):
    answer = unlimited.client.post("/oauth/token", data={**good(), "scope": scope})
    is_an_oauth_error(answer)
    assert answer.json()["error"] == "invalid_scope"


@pytest.mark.parametrize("scope", ["system/*.rs", "system/Patient.r", "system/*.read"])
def test_a_scope_of_either_version_is_given_as_it_was_asked(unlimited, good, scope):
    answer = unlimited.client.post("/oauth/token", data={**good(), "scope": scope})
    assert (answer.status_code, answer.json()["scope"]) == (200, scope)


def test_when_the_database_is_busy_an_oauth_client_is_told_so(unlimited, good, monkeypatch):
    monkeypatch.setattr(database, "ATTEMPTS", 0)
    answer = unlimited.client.post("/oauth/token", data=good())
    assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
    assert answer.headers["retry-after"] == "1"
