"""SMART Backend Services against a process that serves, by the software that hospitals use.

https://docs.authlib.org/en/latest/oauth2/client/http/index.html
"""

import json
import re
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from service.audit import prepare
from service.clock import system_clock
from service.smart.clients import Keys, NewClient, add_client
from service.smart.server import Server
from tests.assertions import claims, ec, form, jwk_set, rsa, signed
from tests.conftest import open_database
from tests.jwks_server import jwks_server
from tests.process import process

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Authlib has httpx2 in mind
    from authlib.integrations.httpx_client import OAuth2Client
    from authlib.oauth2.rfc7523 import PrivateKeyJWT

NAME = "harbor-ehr"
GUIDE = Path(__file__).parents[2] / "docs" / "guide-ehr.md"
PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)


class Assertion(PrivateKeyJWT):
    """Authlib's, with what SMART asks for: RS384 or ES384, a kid, at most five minutes."""

    def sign(self, auth: Any, token_endpoint: str) -> str:
        key = auth.client_secret
        alg = "ES384" if isinstance(key, ECKey) else "RS384"
        content = claims(auth.client_id, token_endpoint)
        return jwt.encode(
            {"alg": alg, "kid": key.kid, "typ": "JWT"}, content, key, algorithms=[alg]
        )


def client(key: RSAKey | ECKey, token_endpoint: str) -> OAuth2Client:
    found = OAuth2Client(
        NAME,
        key,
        scope="system/*.rs",
        token_endpoint_auth_method="private_key_jwt",
        revocation_endpoint_auth_method="private_key_jwt",
    )
    found.register_client_auth_method(Assertion(token_endpoint))
    return found


@pytest.fixture
def hospital():
    with jwks_server(jwk_set(rsa(), ec())) as found:
        found.headers = {"Cache-Control": "max-age=300"}
        yield found


@pytest.fixture
def database(database_url, hospital):
    opened = open_database(database_url)
    new = NewClient(name=NAME, scopes=("system/*.rs",), keys=Keys(jwks_url=hospital.url))
    opened.unit_of_work(lambda session: add_client(session, new))
    yield opened
    opened.close()


@pytest.fixture
def running(database_url, tmp_path, monkeypatch):
    """`alongside serve`, which may fetch keys from loopback."""
    monkeypatch.setenv("ALONGSIDE_JWKS_NETWORKS", "127.0.0.0/8,::1/128")
    on_sqlite = database_url.startswith("sqlite")
    audit = f"sqlite:///{tmp_path / 'audit.db'}" if on_sqlite else database_url
    prepare(audit)
    with process(database_url, audit) as found:
        yield found


def test_a6_39_and_42_a_hospitals_own_software_gets_a_token_uses_it_and_ends_it(
    running, database, hospital
):
    base = str(running.http.base_url).rstrip("/")
    found = running.http.get("/fhir/.well-known/smart-configuration").json()
    assert found["token_endpoint"] == f"{base}/oauth/token"
    for key in (rsa(), ec()):
        with client(key, found["token_endpoint"]) as ehr:
            token = ehr.fetch_token(found["token_endpoint"], grant_type="client_credentials")
            assert (token["expires_in"], token["scope"]) == (300, "system/*.rs")
            assert ehr.get(f"{base}/fhir/Patient").status_code == 200
            ended = ehr.revoke_token(found["revocation_endpoint"], token["access_token"])
            assert ended.status_code == 200
            assert ehr.get(f"{base}/fhir/Patient").status_code == 401
    assert len(hospital.asked) == 1
    is_replay_refused(running.http, database, found["token_endpoint"])


def is_replay_refused(http: httpx.Client, database, token_endpoint: str) -> None:
    """What this process took is refused by that one, and the other way round."""
    base = token_endpoint.removesuffix("/oauth/token")
    own = Keys(jwks=jwk_set(rsa()))
    new = NewClient(name="another", scopes=("system/*.rs",), keys=own)
    database.unit_of_work(lambda session: add_client(session, new))
    here = Server(database, base_url=base, seconds=300, clock=system_clock)
    first, second = (form(signed(rsa(), claims("another", token_endpoint))) for _ in range(2))
    assert here.reply(list(first.items()), None).status == 200
    assert http.post("/oauth/token", data=first).status_code == 401
    assert http.post("/oauth/token", data=second).status_code == 200
    assert here.reply(list(second.items()), None).status == 401


@pytest.mark.usefixtures("database")
def test_a_slow_jwk_set_keeps_nobody_else_waiting(running, hospital):
    hospital.pause = 0.2
    base = str(running.http.base_url).rstrip("/")
    slow = form(signed(rsa(), claims(NAME, f"{base}/oauth/token")))
    with httpx.Client(base_url=base, timeout=0.1) as http, pytest.raises(httpx.ReadTimeout):
        http.post("/oauth/token", data=slow)
    started = time.monotonic()
    assert running.http.get("/fhir/metadata").status_code == 200
    assert running.http.get("/v1/groups").status_code == 401
    assert time.monotonic() - started < 2


def test_what_the_guide_shows_makes_a_key_and_gets_a_token(
    running, database_url, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BASE", str(running.http.base_url).rstrip("/"))
    make_key, get_token = PYTHON.findall(GUIDE.read_text(encoding="utf-8"))
    executed(make_key)
    keys = Keys(jwks=(tmp_path / "jwks.json").read_bytes())
    new = NewClient(name=NAME, scopes=("system/*.rs",), keys=keys)
    opened = open_database(database_url)
    opened.unit_of_work(lambda session: add_client(session, new))
    opened.close()
    assert json.loads(executed(get_token))["expires_in"] == 300


def executed(text: str) -> str:
    """What the text prints, in an interpreter of its own."""
    done = subprocess.run(
        [sys.executable, "-c", text], check=True, capture_output=True, text=True, timeout=60
    )
    return done.stdout
