"""Clients that must show a certificate, as a trusted proxy says that they did.

https://www.rfc-editor.org/rfc/rfc8705#section-3
"""

import base64
from datetime import UTC, datetime, timedelta
from functools import cache
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from starlette.testclient import TestClient

from api import operators
from api.main import create_app
from api.peers import Peers
from service.clock import microseconds
from service.driver import fetched
from service.errors import LoginError
from service.smart.certificates import of_header, thumbprint
from service.smart.clients import NewClient, add_client, hashed
from service.smart.messages import Seen
from service.smart.tokens import SELECT_ACCESS, access_of_row
from tests.api.registering import bearer
from tests.api.served import BASE, serve
from tests.api.test_cli import folder, installed, run  # noqa: F401 - fixtures
from tests.service.smart.backend import server_on

HEADER = "X-Client-Cert"
PROXY, STRANGER = "192.0.2.10", "203.0.113.5"
FORM = {"grant_type": "client_credentials", "scope": "system/*.rs"}


@cache
def certificate(name: str = "harbor") -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    begins = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder().subject_name(who).issuer_name(who)
    builder = builder.public_key(key.public_key()).serial_number(1)
    builder = builder.not_valid_before(begins).not_valid_after(begins + timedelta(days=3650))
    return builder.sign(key, hashes.SHA256())


def pem(name: str = "harbor") -> bytes:
    return certificate(name).public_bytes(Encoding.PEM)


def escaped(name: str = "harbor") -> str:
    """As nginx says it, `$ssl_client_escaped_cert`."""
    return quote(pem(name))


def structured(name: str = "harbor") -> str:
    """As RFC 9440 says it."""
    der = certificate(name).public_bytes(Encoding.DER)
    return f":{base64.b64encode(der).decode()}:"


@pytest.fixture
def served(sqlite_url, tmp_path):
    more = {"trusted_proxies": PROXY, "client_certificate_header": HEADER}
    with serve(sqlite_url, tmp_path, **more) as opened:
        yield opened


@pytest.fixture
def through(served):
    """The service behind the proxy, as `alongside serve` has it."""
    app = Peers(create_app(served.context), served.context.settings)

    def client(address: str = PROXY, shown: str | None = None) -> TestClient:
        headers = {} if shown is None else {HEADER: shown}
        return TestClient(app, base_url=BASE, client=(address, 1), headers=headers)

    return client


@pytest.fixture
def secret(served) -> str:
    found = served.secret("harbor", "system/*.rs")
    operators.bind_client(served.context, "harbor", thumbprint(pem()))
    return found


def test_a_bound_client_and_its_tokens_need_the_certificate(through, secret):
    auth = ("harbor", secret)
    for shown in (None, "", escaped("another"), "nonsense"):
        answer = through(shown=shown).post("/oauth/token", data=FORM, auth=auth)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    for shown in (escaped(), structured()):
        answer = through(shown=shown).post("/oauth/token", data=FORM, auth=auth)
        assert answer.status_code == 200, answer.text
    headers = bearer(answer.json()["access_token"])
    for _ in range(2):  # the second time the row is remembered
        for shown, status in ((escaped(), 200), (None, 401), (escaped("another"), 401)):
            assert through(shown=shown).get("/fhir/Patient", headers=headers).status_code == status
    data = {"token": answer.json()["access_token"]}
    told = through(shown=escaped()).post("/oauth/introspect", data=data, auth=auth).json()
    assert told["cnf"] == {"x5t#S256": thumbprint(pem())}
    for shown, status in ((escaped(), 200), (None, 401)):
        asked = through(shown=shown).post("/oauth/introspect", data=data, headers=headers)
        assert asked.status_code == status
    assert through().post("/oauth/revoke", data=data, auth=auth).status_code == 401
    assert through(shown=escaped()).post("/oauth/revoke", data=data, auth=auth).status_code == 200


def test_a_header_that_a_caller_sends_itself_is_not_believed(served, through, secret):
    auth = ("harbor", secret)
    answer = through(STRANGER, escaped()).post("/oauth/token", data=FORM, auth=auth)
    assert answer.status_code == 401
    forwarded = {"X-Forwarded-For": PROXY}
    answer = through(STRANGER, escaped()).post(
        "/oauth/token", data=FORM, auth=auth, headers=forwarded
    )
    assert answer.status_code == 401
    direct = {HEADER: escaped()}  # without Peers, as where another server runs the application
    answer = served.client.post("/oauth/token", data=FORM, auth=auth, headers=direct)
    assert answer.status_code == 401


def test_two_headers_are_none(through, secret):
    twice = [(HEADER, escaped()), (HEADER, escaped())]
    answer = through().post("/oauth/token", data=FORM, auth=("harbor", secret), headers=twice)
    assert answer.status_code == 401


def test_the_address_is_the_forwarded_one_and_others_need_no_certificate(served, through):
    secret = served.secret("unbound", "system/*.rs")
    forwarded = {"X-Forwarded-For": "198.51.100.7"}
    answer = through().post("/oauth/token", data=FORM, auth=("unbound", secret), headers=forwarded)
    assert answer.status_code == 200
    assert served.rows()[-1].address == "198.51.100.7"


def test_without_the_setting_no_header_is_looked_at(sqlite_url, tmp_path):
    with serve(sqlite_url, tmp_path, trusted_proxies=PROXY) as served:
        secret = served.secret("harbor", "system/*.rs")
        operators.bind_client(served.context, "harbor", thumbprint(pem()))
        app = Peers(create_app(served.context), served.context.settings)
        client = TestClient(app, base_url=BASE, client=(PROXY, 1), headers={HEADER: escaped()})
        answer = client.post("/oauth/token", data=FORM, auth=("harbor", secret))
        assert answer.status_code == 401


def test_a_token_stays_bound_to_what_it_was_issued_with(served, through, secret):
    answer = through(shown=escaped()).post("/oauth/token", data=FORM, auth=("harbor", secret))
    headers = bearer(answer.json()["access_token"])
    operators.bind_client(served.context, "harbor", thumbprint(pem("another")))
    assert through(shown=escaped()).get("/fhir/Patient", headers=headers).status_code == 200
    shown = through(shown=escaped("another"))
    assert shown.get("/fhir/Patient", headers=headers).status_code == 401
    assert shown.post("/oauth/token", data=FORM, auth=("harbor", secret)).status_code == 200


def test_a_client_and_its_tokens_are_bound_on_either_database(database):
    bound = thumbprint(pem())
    new = NewClient(name="harbor", scopes=("system/*.rs",), certificate=bound)
    secret = database.unit_of_work(lambda session: add_client(session, new)[1])
    server = server_on(database)
    form = [*FORM.items(), ("client_id", "harbor"), ("client_secret", secret)]
    assert server.reply(form, None, Seen("", "another")).status == 401
    token = server.reply(form, None, Seen("", bound)).body["access_token"]
    (row,) = database.read(lambda session: fetched(session, SELECT_ACCESS, (hashed(token),)))
    now = microseconds(server.clock())
    assert access_of_row(row, now, bound).client == "harbor"
    with pytest.raises(LoginError, match="certificate"):
        access_of_row(row, now)


@pytest.mark.parametrize(
    "value", [b"", b":", b"::", b":AA:", b":\xff:", b"%ff", b"x" * 20_000, b"-----BEGIN", b":!:"]
)
def test_what_is_no_certificate_has_no_thumbprint(value):
    assert of_header(value) is None


def test_a_certificate_is_registered_and_changed_at_a_shell(installed, folder, monkeypatch):  # noqa: F811
    monkeypatch.setenv("COLUMNS", "200")
    (folder / "cert.pem").write_bytes(pem())
    (folder / "none.pem").write_text("x")
    basis = ("clients", "add", "harbor", "--scope", "system/*.rs", "--certificate")
    code, _, err = installed(*basis, "none.pem")
    assert code == 1
    assert "no certificate in PEM" in err
    assert installed(*basis, "cert.pem")[0] == 0
    assert "secret and a certificate" in installed("clients", "list")[1]
    out = installed("clients", "bind", "harbor")[1]
    assert out == "harbor shows no certificate from now on.\n"
    assert "a certificate" not in installed("clients", "list")[1]
    out = installed("clients", "bind", "harbor", "--certificate", "cert.pem")[1]
    assert out == "harbor shows this certificate from now on.\n"
