"""Software registers itself by an invitation, for as much as that allows and once.

https://www.rfc-editor.org/rfc/rfc7591
"""

import threading
from datetime import timedelta

import orjson
import pytest
from sqlmodel import select

from service.clock import system_clock
from service.errors import BusyError
from service.models.connections import Client, Confidentiality, Invitation
from service.smart import clients, invitations
from service.smart.registration import Asked, Registrar
from tests import world
from tests.api.registering import REGISTER, SCOPES, bearer, invited, refused, register, registered
from tests.api.served import BASE
from tests.assertions import claims, ec, form, jwk_set, rsa, signed
from tests.conftest import open_database
from tests.service.smart.backend import server_on

KEYS = orjson.loads(jwk_set(ec()))


def all_clients(served):
    return served.context.database.read(clients.all_clients)


def test_what_is_registered_is_bound_as_the_invitation_says_and_can_be_used(served):
    hospital = world.hospital(served.context.database)
    more = {"ceiling": Confidentiality.NORMAL, "roster_role": True}
    token = invited(served, of=hospital.id, **more)
    answer = register(served, token, client_name="Harbor analytics", contacts=["it@harbor.example"])
    assert answer.status_code == 201
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
    found = answer.json()
    assert found["client_name"] == "Harbor analytics"
    assert found["contacts"] == ["it@harbor.example"]
    assert found["scope"] == SCOPES
    assert found["grant_types"] == ["client_credentials"]
    assert found["client_secret_expires_at"] == 0
    assert found["token_endpoint_auth_method"] == "client_secret_basic"
    assert abs(found["client_id_issued_at"] - system_clock().timestamp()) < 600
    (row,) = all_clients(served)
    assert (row.connection_id, row.ceiling, row.roster_role) == (hospital.id, "N", True)
    access = served.token(found["client_id"], found["client_secret"], "system/Patient.r")
    assert served.client.get("/fhir/Patient", headers=bearer(access)).status_code == 403
    access = served.token(found["client_id"], found["client_secret"], "system/Patient.rs")
    assert served.client.get("/fhir/Patient", headers=bearer(access)).status_code == 200


def test_software_with_keys_gets_no_secret_and_signs_with_what_it_said(unlimited):
    found = registered(
        unlimited,
        token_endpoint_auth_method="private_key_jwt",
        token_endpoint_auth_signing_alg="ES384",
        jwks=KEYS,
        scope="system/Patient.rs",
    )
    assert "client_secret" not in found
    assert found["jwks"] == KEYS
    assert (found["scope"], found["token_endpoint_auth_signing_alg"]) == (
        "system/Patient.rs", "ES384",
    )  # fmt: skip
    text = signed(ec(), claims(found["client_id"], f"{BASE}/oauth/token"))
    data = form(text, scope="system/Patient.rs")
    assert unlimited.client.post("/oauth/token", data=data).status_code == 200
    text = signed(rsa(), claims(found["client_id"], f"{BASE}/oauth/token"))
    assert unlimited.client.post("/oauth/token", data=form(text)).status_code == 401


def test_keys_without_a_method_are_what_it_proves_itself_by(unlimited):
    found = registered(unlimited, jwks_uri="https://harbor.example/jwks.json")
    assert found["token_endpoint_auth_method"] == "private_key_jwt"
    assert found["jwks_uri"] == "https://harbor.example/jwks.json"
    assert "client_secret" not in found


def test_an_invitation_is_used_once(served):
    token = invited(served)
    assert register(served, token).status_code == 201
    refused(register(served, token), "invalid_token")
    assert len(all_clients(served)) == 1


def test_of_those_who_come_with_one_invitation_to_several_processes_one_is_registered(database_url):
    databases = [open_database(database_url) for _ in range(4)]
    new = invitations.NewInvitation(scopes=tuple(SCOPES.split()), lasts=timedelta(hours=1))
    now = system_clock()
    _, token = databases[0].unit_of_work(lambda session: invitations.invite(session, new, now))
    statuses: list[int] = []
    start = threading.Barrier(8)

    def ask(registrar: Registrar) -> None:
        start.wait()
        try:
            statuses.append(registrar.register({}, Asked(f"Bearer {token}")).status)
        except BusyError:  # a slow disk; nothing of it is kept
            statuses.append(503)

    registrars = [Registrar(server=server_on(each), base_url=BASE) for each in databases * 2]
    threads = [threading.Thread(target=ask, args=(each,)) for each in registrars]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert (statuses.count(201), len(statuses)) == (1, 8)
    assert set(statuses) <= {201, 401, 503}
    assert len(databases[0].read(lambda session: session.exec(select(Client)).all())) == 1
    for each in databases:
        each.close()


def test_what_is_refused_leaves_nothing_and_the_invitation_unused(served):
    token = invited(served)
    refused(register(served, token, scope="system/*.cruds"), said="system/*.cruds")
    refused(register(served, token, jwks={"keys": []}), said="no key")
    assert all_clients(served) == []
    assert register(served, token).status_code == 201


@pytest.mark.parametrize(
    "scope",
    ["system/Patient.cruds", "system/*.rs", "v1.admin", "nonsense",
     "system/Condition.rs?category=x",
     "system/Patient.rs openid"],
)  # fmt: skip
def test_software_gets_no_more_than_its_invitation_allows(unlimited, scope):
    refused(register(unlimited, invited(unlimited), scope=scope), said="not allow")


def test_software_may_ask_for_less(unlimited):
    found = registered(unlimited, scope="system/Patient.r system/Patient.r")
    assert found["scope"] == "system/Patient.r"


@pytest.mark.parametrize("how", ["none", "unknown", "expired", "withdrawn", "access", "basic"])
def test_without_an_invitation_nobody_is_registered(served_on_sqlite, how):
    served = served_on_sqlite
    database, now = served.context.database, system_clock()
    token = invited(served)

    def change(session):
        row = session.exec(select(Invitation)).one()
        if how == "expired":
            row.expires_at = 1
        elif how == "withdrawn":
            invitations.withdraw(session, row.id, now)

    database.unit_of_work(change)
    secret = served.secret("programme")
    header = {
        "none": {},
        "unknown": bearer("a" * 43),
        "access": bearer(served.token("programme", secret, "v1.read")),
        "basic": {"Authorization": "Basic eDp5"},
    }.get(how, bearer(token))
    answer = served.client.post(REGISTER, json={}, headers=header)
    refused(answer, "invalid_token")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert len(all_clients(served)) == 1


TWO = {"jwks": KEYS, "jwks_uri": "https://a.example/k"}


@pytest.mark.parametrize(
    ("metadata", "error", "said"),
    [
        ({"token_endpoint_auth_method": "none"}, "invalid_client_metadata", "auth_method must be"),
        ({"token_endpoint_auth_method": 5}, "invalid_client_metadata", "auth_method must be"),
        ({"token_endpoint_auth_method": []}, "invalid_client_metadata", "auth_method must be"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata", "takes"),
        ({"token_endpoint_auth_method": "client_secret_post", "jwks": KEYS},
         "invalid_client_metadata", "takes"),
        (TWO, "invalid_client_metadata", "not both"),
        ({"jwks": []}, "invalid_client_metadata", "as an object"),
        ({"jwks": {"keys": [{"kty": "oct", "k": "AA"}]}}, "invalid_client_metadata", "private"),
        ({"jwks": KEYS, "token_endpoint_auth_signing_alg": "HS256"}, "invalid_client_metadata",
         "must be RS384"),
        ({"jwks": KEYS, "token_endpoint_auth_signing_alg": "RS384"}, "invalid_client_metadata",
         "none of the types"),
        ({"jwks_uri": "http://a.example/k"}, "invalid_client_metadata", "https"),
        ({"jwks_uri": "file:///etc/passwd"}, "invalid_client_metadata", "https"),
        ({"jwks_uri": "https://u:p@a.example/"}, "invalid_client_metadata", "user"),
        ({"jwks_uri": "https://[a"}, "invalid_client_metadata", "address"),
        ({"grant_types": ["authorization_code"]}, "invalid_client_metadata", "client_credentials"),
        ({"grant_types": "client_credentials"}, "invalid_client_metadata", "list"),
        ({"response_types": [5]}, "invalid_client_metadata", "text"),
        ({"scope": ""}, "invalid_client_metadata", "empty"),
        ({"scope": ["system/*.rs"]}, "invalid_client_metadata", "text"),
        ({"client_name": "a\x00b"}, "invalid_client_metadata", "control"),
        ({"client_name": "x" * 201}, "invalid_client_metadata", "200"),
        ({"client_uri": "javascript:alert(1)"}, "invalid_client_metadata", "https"),
        ({"contacts": "it@harbor.example"}, "invalid_client_metadata", "list"),
        ({"contacts": ["x"] * 11}, "invalid_client_metadata", "10"),
        ({"redirect_uris": ["/relative"]}, "invalid_redirect_uri", "absolute"),
        ({"redirect_uris": ["https://a.example/#x"]}, "invalid_redirect_uri", "fragment"),
        ({"redirect_uris": "https://a.example"}, "invalid_redirect_uri", "list"),
        ({"redirect_uris": [5]}, "invalid_redirect_uri", "list"),
        ({"software_statement": "x"}, "invalid_software_statement", "JWT"),
        ({"software_statement": 5}, "invalid_software_statement", "JWT"),
        ({"software_statement": "e30.e30.AA"}, "unapproved_software_statement", "leave it out"),
    ],
)  # fmt: skip
def test_a_member_that_is_wrong_is_refused_as_the_rfc_says(unlimited, metadata, error, said):
    answer = register(unlimited, invited(unlimited), **metadata)
    refused(answer, error, said)


def test_what_is_not_known_or_of_no_use_here_is_ignored(served_on_sqlite):
    found = registered(
        served_on_sqlite,
        redirect_uris=["https://app.example/callback"],
        response_types=["code"],
        grant_types=["authorization_code", "client_credentials"],
        application_type="web",
        client_name=None,
        ceiling="V",
        roster_role=True,
        connection_id="x",
    )
    for name in ("redirect_uris", "application_type", "client_name", "ceiling"):
        assert name not in found
    assert (found["grant_types"], found["response_types"]) == (["client_credentials"], [])
    (row,) = all_clients(served_on_sqlite)
    assert (row.ceiling, row.roster_role, row.connection_id) == ("R", False, None)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[]", "not an object"),
        (b'"x"', "not an object"),
        (b'{"client_name": "\\ud800"}', "not JSON"),
        (b'{"scope": "a", "scope": "b"}', "repeated"),
        (b'{"jwks": {"keys": [{"kid": "a", "kid": "b"}]}}', "repeated"),
        (b"[" * 5000, "not JSON"),
        (b'{"a": ' + b"[" * 1020 + b"]" * 1020 + b"}", ""),
        (b'{"a": ' + b"1" * 5000 + b"}", ""),
        (b'{"a": "' + b"x" * 70_000 + b'"}', "too long"),
    ],
)
def test_a_body_that_cannot_be_read_is_an_oauth_error(unlimited, body, said):
    headers = {**bearer("x"), "Content-Type": "application/json"}
    answer = unlimited.client.post(REGISTER, content=body, headers=headers)
    assert answer.status_code in (400, 401)
    assert said in answer.json()["error_description"]
    assert answer.headers["cache-control"] == "no-store"


def test_metadata_is_json_and_nothing_else(unlimited):
    headers = bearer(invited(unlimited))
    answer = unlimited.client.post(REGISTER, data={"client_name": "x"}, headers=headers)
    refused(answer, said="application/json")


def test_tokens_stand_in_no_row(served_on_sqlite):
    served = served_on_sqlite
    token = invited(served)
    found = register(served, token).json()
    (row,) = all_clients(served)
    kept = str(row) + str(served.rows())
    kept += str(served.context.database.read(lambda s: s.exec(select(Invitation)).all()))
    for secret in (token, found["client_secret"], found["registration_access_token"]):
        assert secret not in kept
    assert served.rows()[-1].client == found["client_id"]


def test_an_invitation_for_a_hospital_holds_no_scope_of_the_programme(unlimited):
    hospital = world.hospital(unlimited.context.database)
    with pytest.raises(clients.BusinessRuleError):
        invited(unlimited, "v1.read", of=hospital.id)
    for lasts in (timedelta(), timedelta(days=91)):
        with pytest.raises(clients.ValueSetError):
            invited(unlimited, lasts=lasts)
