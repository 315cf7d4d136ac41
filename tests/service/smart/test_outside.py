"""Tokens of issuers outside: each check, and never more than the issuer may have.

https://www.rfc-editor.org/rfc/rfc9068#section-4
https://www.rfc-editor.org/rfc/rfc7662
"""

import base64
from dataclasses import replace
from urllib.parse import parse_qs

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, RSAKey

from service.access import Scopes
from service.clock import microseconds, system_clock
from service.driver import fetched
from service.encryption import Cipher, new_key
from service.errors import (
    BusinessRuleError,
    DuplicateError,
    LoginError,
    NotFoundError,
    ValueSetError,
)
from service.models.connections import Confidentiality
from service.smart.clients import NewClient, disable_client, rotate_client
from service.smart.fetching import Fetcher, networks_of
from service.smart.issuers import (
    SELECT_ISSUERS,
    KnownIssuer,
    NewIssuer,
    add_issuer,
    disable_issuer,
    known,
)
from service.smart.key_sets import KeySets
from service.smart.keys import OUTSIDE
from service.smart.outside import OutsideTokens, RefusedTokenError, intersection
from service.smart.tokens import access_of_row
from tests import world
from tests.assertions import ec, jwk_set, rsa, signed
from tests.jwks_server import jwks_server

ISSUER = "https://login.harbor.example/realms/ehr"
FHIR = "http://127.0.0.1:8000/fhir"
CIPHER = Cipher(new_key())
LOCAL = Fetcher(networks_of("127.0.0.0/8,::1/128"))
BOUND = ("0199b7c26c1f7a539d3e5b8f0c2a4e61", "harbor-login", "R", False, "TREAT", False, None, None)


@pytest.fixture
def tokens() -> OutsideTokens:
    return OutsideTokens(
        fetcher=LOCAL,
        key_sets=KeySets(LOCAL.get),
        cipher=CIPHER,
        audience=FHIR,
        clock=system_clock,
        key=b"key",
    )


@pytest.fixture
def hospital():
    with jwks_server(jwk_set(rsa(), ec())) as found:
        found.headers = {"Cache-Control": "max-age=300"}
        yield found


def issuer(**more) -> KnownIssuer:
    found = KnownIssuer(
        issuer=ISSUER,
        audience=None,
        algorithms=OUTSIDE,
        jwks_url=None,
        introspection_url=None,
        login=None,
        scopes=Scopes("system/*.rs"),
        bound=BOUND,
    )
    return replace(found, **more)


def said(**changes) -> dict:
    now = int(system_clock().timestamp())
    good = {"iss": ISSUER, "aud": FHIR, "exp": now + 600, "scope": "system/Patient.rs"}
    return {name: each for name, each in {**good, **changes}.items() if each is not None}


def test_a_signed_token_is_worth_what_both_allow(tokens, hospital):
    known_ = issuer(jwks_url=hospital.url)
    for key in (rsa(), ec()):
        text = signed(key, said(scope="openid system/*.cruds v1.read"), typ="at+jwt")
        row = tokens.row_of(text, [known_])
        access = access_of_row(row, microseconds(system_clock()))
        assert access.scopes.text == "system/*.rs"
        assert (access.client, access.ceiling, access.roster_role) == ("harbor-login", 1, False)
        assert access.is_programme
    assert len(hospital.asked) == 1


@pytest.mark.parametrize("alg", ["RS256", "ES256"])
def test_algorithms_that_others_use_are_taken_where_they_are_allowed(tokens, alg):
    key = ECKey.generate_key("P-256", {"kid": "k"}) if alg == "ES256" else rsa("k")
    text = signed(key, said(), alg=alg)
    with jwks_server(jwk_set(key)) as hospital:
        assert tokens.row_of(text, [issuer(jwks_url=hospital.url)])
        with pytest.raises(RefusedTokenError, match="alg must be"):
            tokens.row_of(text, [issuer(jwks_url=hospital.url, algorithms=("ES384",))])


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"iss": "https://elsewhere.example"}, "nobody knows"),
        ({"aud": None}, "aud"),
        ({"aud": "https://elsewhere.example/fhir"}, "aud"),
        ({"aud": f"{FHIR}/"}, "aud"),
        ({"aud": [{}, 5]}, "aud"),
        ({"exp": None}, "exp must be"),
        ({"exp": "soon"}, "exp must be"),
        ({"exp": True}, "exp must be"),
        ({"exp": 1e300}, "exp must be"),
        ({"exp": 1}, "expired"),
        ({"nbf": 99_999_999_999}, "not valid yet"),
        ({"nbf": []}, "nbf must be"),
    ],
)
def test_a_claim_that_is_missing_or_wrong_is_refused(tokens, hospital, changes, why):
    with pytest.raises(RefusedTokenError, match=why):
        tokens.row_of(signed(rsa(), said(**changes)), [issuer(jwks_url=hospital.url)])


@pytest.mark.parametrize(
    ("key", "header", "why"),
    [
        (rsa("other"), {"kid": "rsa-1"}, "signature"),
        (rsa(), {"kid": "unknown"}, "exactly one key"),
        (rsa(), {"kid": None}, "kid"),
        (rsa(), {"typ": "id+jwt"}, "typ"),
        (rsa(), {"b64": True}, "crit"),
        (ec(), {"kid": "rsa-1"}, "exactly one key"),
        (RSAKey.generate_key(2048, {"kid": "ec-1"}), {}, "exactly one key"),
    ],
)
def test_a_header_or_signature_that_is_wrong_is_refused(tokens, hospital, key, header, why):
    with pytest.raises(RefusedTokenError, match=why):
        tokens.row_of(signed(key, said(), **header), [issuer(jwks_url=hospital.url)])


@pytest.mark.parametrize("text", ["", "x", "a.b", "a.b.c", "e30.e30.AA", "é" * 40, "x" * 9000,
                                  "W10.W10.AA", "...", "e30.eyJpc3MiOjV9.AA"])  # fmt: skip
def test_what_is_no_token_is_refused_and_nobody_is_asked(tokens, hospital, text):
    with pytest.raises(RefusedTokenError):
        tokens.row_of(text, [issuer(jwks_url=hospital.url)])
    assert hospital.asked == []


def test_keys_that_are_not_to_be_had_refuse_the_token(tokens, hospital):
    hospital.status = 500
    with pytest.raises(RefusedTokenError, match="answers 500"):
        tokens.row_of(signed(rsa(), said()), [issuer(jwks_url=hospital.url)])


def test_a_token_that_is_bound_to_a_certificate_is_of_no_use_without_it(tokens, hospital):
    text = signed(rsa(), said(cnf={"x5t#S256": "abc"}))
    row, now = tokens.row_of(text, [issuer(jwks_url=hospital.url)]), microseconds(system_clock())
    assert access_of_row(row, now, "abc").client == "harbor-login"
    for shown in (None, "abd"):
        with pytest.raises(LoginError, match="certificate"):
            access_of_row(row, now, shown)


@pytest.mark.parametrize(
    "bound", [{"jkt": "x"}, {"x5t#S256": "x", "jkt": "y"}, "x", 5, {"x5t#S256": "\xfc"}]
)
def test_a_token_that_is_bound_to_something_else_is_refused(tokens, hospital, bound):
    content = said(cnf=bound)
    with pytest.raises(RefusedTokenError, match="bound"):
        tokens.row_of(signed(rsa(), content), [issuer(jwks_url=hospital.url)])


def answering(content: dict | bytes):
    return jwks_server(content if isinstance(content, bytes) else orjson.dumps(content))


def test_an_issuer_is_asked_about_a_token_that_is_none_of_ours(tokens):
    login = ("us & them", CIPHER.encrypt(b"s:cret"))
    active = {"active": True, **said(client_id="analytics")}
    with answering(active) as hospital, jwks_server(jwk_set(rsa())) as other:
        known_ = [
            issuer(issuer="https://other.example", jwks_url=other.url),
            issuer(introspection_url=hospital.url, login=login),
        ]
        row = tokens.row_of("opaque", known_)
    assert access_of_row(row, microseconds(system_clock())).client == "harbor-login/analytics"
    (form,) = hospital.forms
    assert parse_qs(form) == {"token": ["opaque"], "token_type_hint": ["access_token"]}
    (headers,) = hospital.asked
    pair = base64.b64decode(headers["Authorization"].removeprefix("Basic "))
    assert pair == b"us%20%26%20them:s%3Acret"
    assert other.asked == []


def test_a_token_that_does_not_say_whose_it_is_is_not_shown_to_several(tokens):
    with answering({"active": True, **said()}) as one, answering({"active": True}) as other:
        known_ = [
            issuer(introspection_url=one.url),
            issuer(issuer="https://other.example", introspection_url=other.url),
        ]
        with pytest.raises(RefusedTokenError, match="whose it is"):
            tokens.row_of("opaque", known_)
    assert (one.asked, other.asked) == ([], [])


def test_a_signed_token_of_an_issuer_that_is_asked_goes_to_that_one_alone(tokens):
    with answering({"active": True, **said()}) as hospital, answering({"active": True}) as other:
        known_ = [
            issuer(issuer="https://other.example", introspection_url=other.url),
            issuer(introspection_url=hospital.url),
        ]
        assert tokens.row_of(signed(rsa(), said()), known_)
    assert (len(hospital.asked), other.asked) == (1, [])


@pytest.mark.parametrize(
    "answer",
    [
        {"active": False}, {"active": "true", **said()}, {}, b"[]", b"x", b"null",
        {"active": True}, {"active": True, **said(aud="x")}, {"active": True, **said(aud=None)},
        {"active": True, **said(iss="https://elsewhere.example")},
        {"active": True, **said(exp=1)}, {"active": True, **said(exp="x")},
    ],
)  # fmt: skip
def test_what_an_issuer_does_not_say_is_active_here_is_refused(tokens, answer):
    with answering(answer) as hospital, pytest.raises(RefusedTokenError):
        tokens.row_of("opaque", [issuer(introspection_url=hospital.url)])


def test_a_token_whose_end_is_not_told_is_good_for_a_moment(tokens):
    with answering({"active": True, **said(exp=None)}) as hospital:
        row = tokens.row_of("opaque", [issuer(introspection_url=hospital.url)])
    assert 0 < row[0] - microseconds(system_clock()) <= 60_000_000


def test_a_secret_that_cannot_be_read_refuses_the_token(tokens):
    login = ("us", Cipher(new_key()).encrypt(b"x"))
    with answering({"active": True, **said()}) as hospital, pytest.raises(RefusedTokenError):
        tokens.row_of("opaque", [issuer(introspection_url=hospital.url, login=login)])
    assert hospital.asked == []


@pytest.mark.parametrize(
    ("names", "allowed", "both"),
    [
        (["system/*.cruds"], "system/*.rs", "system/*.rs"),
        (["system/Patient.cruds"], "system/*.rs", "system/Patient.rs"),
        (["system/*.rs"], "system/Patient.cruds", "system/Patient.rs"),
        (["system/*.read", "system/Flag.d"], "system/*.rs system/Flag.cd",
         "system/*.rs system/Flag.d"),
        (["system/Patient.rs?name=x"], "system/*.rs", ""),
        (["openid", "patient/*.rs", "v1.read"], "system/*.rs v1.write", ""),
        (["v1.read", "v1.admin"], "v1.read", "v1.read"),
        ([], "system/*.rs", ""),
    ],
)  # fmt: skip
def test_scopes_are_what_both_have(names, allowed, both):
    found = intersection(names, Scopes(allowed))
    assert Scopes(found).letters == Scopes(both).letters
    assert ("v1.read" in found) is ("v1.read" in both)
    assert "v1.admin" not in found


NAMES = st.lists(
    st.builds(
        "system/{}.{}".format,
        st.sampled_from(["*", "Patient", "Flag"]),
        st.sampled_from(["cruds", "rs", "r", "cd", "read", "write", "*", "s"]),
    ),
    max_size=4,
)


@given(NAMES, NAMES)
def test_no_intersection_is_wider_or_narrower_than_both(mine, theirs):
    ours, allowed = Scopes(" ".join(mine)), Scopes(" ".join(theirs))
    found = Scopes(intersection(mine, allowed))
    for kind in ("Patient", "Flag", "Observation"):
        for letter in "cruds":
            both = ours.allows(kind, letter) and allowed.allows(kind, letter)
            assert found.allows(kind, letter) is both


def new_issuer(**more) -> NewIssuer:
    client = NewClient(name="harbor-login", scopes=("system/*.rs",), **more.pop("client", {}))
    return NewIssuer(client=client, **{"issuer": ISSUER, "jwks_url": "https://a.example", **more})


def test_an_issuer_is_read_as_it_was_added(database):
    connection = world.hospital(database)
    more = {"connection_id": connection.id, "ceiling": Confidentiality.NORMAL, "roster_role": True}
    new = new_issuer(client=more, audience="urn:harbor", algorithms=("ES384",), login=("us", "x"))
    database.unit_of_work(lambda session: add_issuer(session, CIPHER, new))
    (row,) = database.read(lambda session: fetched(session, SELECT_ISSUERS))
    found = known(row)
    assert (found.issuer, found.audience, found.algorithms) == (ISSUER, "urn:harbor", ("ES384",))
    assert found.scopes == Scopes("system/*.rs")
    assert CIPHER.decrypt(found.login[1]) == b"x"
    assert found.bound[1:3] == ("harbor-login", "N")
    assert found.bound[7] == connection.number
    now = system_clock()
    with pytest.raises(BusinessRuleError, match="is an issuer"):
        database.unit_of_work(lambda session: rotate_client(session, "harbor-login"))
    database.unit_of_work(lambda session: disable_issuer(session, "harbor-login", now))
    assert database.read(lambda session: fetched(session, SELECT_ISSUERS)) == []


def test_an_issuer_that_cannot_be_is_refused(sqlite_database):
    work = sqlite_database.unit_of_work
    for more, error in (
        ({"jwks_url": None}, BusinessRuleError),
        ({"introspection_url": "https://a.example"}, BusinessRuleError),
        ({"algorithms": ("HS256",)}, ValueSetError),
        ({"algorithms": ()}, ValueSetError),
        ({"issuer": "harbor"}, ValueSetError),
    ):
        with pytest.raises(error):
            work(lambda session, more=more: add_issuer(session, CIPHER, new_issuer(**more)))
    work(lambda session: add_issuer(session, CIPHER, new_issuer()))
    with pytest.raises(DuplicateError):
        work(lambda session: add_issuer(session, CIPHER, new_issuer()))
    with pytest.raises(NotFoundError):
        work(lambda session: disable_issuer(session, "nobody", system_clock()))


def test_only_one_issuer_at_a_time_is_asked(sqlite_database):
    work = sqlite_database.unit_of_work

    def add(name: str) -> None:
        client = NewClient(name=name, scopes=("system/*.rs",))
        url = f"https://{name}.example"
        new = NewIssuer(client=client, issuer=url, introspection_url=url)
        work(lambda session: add_issuer(session, CIPHER, new))

    add("first")
    with pytest.raises(BusinessRuleError, match="asked already"):
        add("second")
    work(lambda session: disable_client(session, "first", system_clock()))
    add("second")
