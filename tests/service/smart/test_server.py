"""The token endpoint, without the web."""

import base64
import logging
import secrets
from datetime import timedelta

import pytest

from service.clock import microseconds, system_clock
from service.database import Database
from service.errors import LoginError
from service.models.connections import AccessToken
from service.smart.clients import NewClient, add_client, client_named, disable_client
from service.smart.server import Server, TokenReply
from service.smart.tokens import SELECT_ACCESS, Grant, access_of_row, bearer, issue

SCOPES = ("system/Patient.rs", "system/Observation.read", "v1.read")
FORM = [("grant_type", "client_credentials"), ("scope", "system/Patient.rs v1.read")]


@pytest.fixture
def server(database) -> Server:
    return Server(database, base_url="http://127.0.0.1:8000", seconds=300, clock=system_clock)


@pytest.fixture
def secret(database) -> str:
    new = NewClient(name="programme", scopes=SCOPES)
    return database.unit_of_work(lambda session: add_client(session, new)[1])


def basic(name: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


def row(database: Database, token: str):
    def look(session):
        connection = session.connection()
        mark = "?" if connection.dialect.name == "sqlite" else "%s"
        statement = SELECT_ACCESS.replace("?", mark)
        return connection.exec_driver_sql(statement, (bearer(f"Bearer {token}"),)).fetchone()

    return database.read(look)


def now() -> int:
    return microseconds(system_clock())


def test_a_client_gets_a_token_with_basic(server, database, secret):
    reply = server.reply(FORM, basic("programme", secret))
    assert reply.status == 200
    assert reply.body["token_type"] == "Bearer"
    assert reply.body["expires_in"] == 300
    assert reply.body["scope"] == "system/Patient.rs v1.read"
    access = access_of_row(row(database, reply.body["access_token"]), now())
    assert (access.client, access.audience, access.ceiling) == ("programme", 1, 1)
    assert access.may("Patient", "r")
    assert not access.may("Observation", "r")


def test_a_client_gets_a_token_with_the_secret_in_the_form(server, secret):
    form = [*FORM, ("client_id", "programme"), ("client_secret", secret)]
    assert server.reply(form, None).status == 200


def test_the_reply_must_not_be_stored(server, secret):
    headers = dict(server.reply(FORM, basic("programme", secret)).headers)
    assert headers["Cache-Control"] == "no-store"
    assert headers["Pragma"] == "no-cache"


def test_the_database_has_neither_secret_nor_token(sqlite_database, tmp_path):
    database = sqlite_database
    new = NewClient(name="programme", scopes=SCOPES)
    _, secret = database.unit_of_work(lambda session: add_client(session, new))
    server = Server(database, base_url="http://localhost", seconds=300, clock=system_clock)
    token = server.reply(FORM, basic("programme", secret)).body["access_token"]
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert b"programme" in content
    assert token.encode() not in content
    assert secret.encode() not in content


def test_the_log_has_no_token_even_at_debug(server, secret, caplog):
    with caplog.at_level(logging.DEBUG):
        token = server.reply(FORM, basic("programme", secret)).body["access_token"]
    assert token not in caplog.text


@pytest.mark.usefixtures("secret")
@pytest.mark.parametrize("name", ["programme", "nobody", "", 'quo"te', "ünï", "a\x00b"])
def test_a_wrong_secret_and_an_unknown_client_are_answered_alike(server, name):
    reply = server.reply(FORM, basic(name, "wrong"))
    assert_error(reply, 401, "invalid_client")
    assert reply.body["error_description"] == "Client authentication failed"
    assert dict(reply.headers)["WWW-Authenticate"].startswith("Basic realm=")


def test_a_disabled_client_gets_nothing_and_its_tokens_end(server, database, secret):
    token = server.reply(FORM, basic("programme", secret)).body["access_token"]
    database.unit_of_work(lambda session: disable_client(session, "programme", system_clock()))
    assert_error(server.reply(FORM, basic("programme", secret)), 401, "invalid_client")
    with pytest.raises(LoginError):
        access_of_row(row(database, token), now())


@pytest.mark.usefixtures("secret")
def test_an_expired_token_gives_no_access(database):
    def work(session):
        grant = Grant(scope="v1.read", seconds=300)
        before = system_clock() - timedelta(seconds=300)
        return issue(session, client_named(session, "programme"), grant, before)

    token = database.unit_of_work(work)
    with pytest.raises(LoginError, match="expired"):
        access_of_row(row(database, token), now())


def test_a_revoked_token_gives_no_access(server, database, secret):
    token = server.reply(FORM, basic("programme", secret)).body["access_token"]

    def revoke(session):
        session.get(AccessToken, bearer(f"Bearer {token}")).revoked = True

    database.unit_of_work(revoke)
    with pytest.raises(LoginError, match="no longer"):
        access_of_row(row(database, token), now())


@pytest.mark.parametrize(
    "scope",
    [
        "",
        "system/Observation.cruds",
        "system/*.rs",
        "v1.write",
        "openid",
        'system/"Patient".r',
        "system/Patient.rs nonsense",
    ],
)
def test_a_scope_that_the_client_may_not_have_is_refused(server, secret, scope):
    form = [("grant_type", "client_credentials"), ("scope", scope)]
    assert_error(server.reply(form, basic("programme", secret)), 400, "invalid_scope")


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ([], "invalid_request"),
        ([("grant_type", "")], "invalid_request"),
        ([*FORM, ("scope", "v1.read")], "invalid_request"),
        ([*FORM, ("client_secret", "x"), ("client_id", "programme")], "invalid_request"),
        ([("grant_type", "password")], "unsupported_grant_type"),
        ([("grant_type", 'a"b\\ü')], "unsupported_grant_type"),
    ],
)
def test_a_wrong_request_is_refused_as_the_rfc_says(server, secret, form, error):
    assert_error(server.reply(form, basic("programme", secret)), 400, error)


@pytest.mark.usefixtures("secret")
@pytest.mark.parametrize(
    "header", ["Basic ?", "Basic /////w==", "Basic", "Bearer x", "Basic " + "QQ" * 50, "basic \xff"]
)
def test_a_broken_authorization_header_is_an_error_not_a_failure(server, header):
    reply = server.reply(FORM, header)
    assert reply.status in (400, 401)
    assert reply.body["error"] in ("invalid_client", "invalid_request")


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic abc", "Bearer ü"])
def test_no_bearer_token_is_a_login_error(header):
    with pytest.raises(LoginError):
        bearer(header)


def test_a_token_that_was_never_issued_gives_no_access(database):
    with pytest.raises(LoginError):
        access_of_row(row(database, secrets.token_urlsafe(32)), now())


def assert_error(reply: TokenReply, status: int, error: str) -> None:
    assert (reply.status, reply.body["error"]) == (status, error)
    assert reply.body.get("error_description", "").isascii()
    assert '"' not in reply.body.get("error_description", "")
