"""People whom an issuer outside vouches for (ADR 0035)."""

from dataclasses import replace
from typing import Any

import pytest

from service.access import Access, Scopes
from service.clock import microseconds, system_clock
from service.encryption import Cipher
from service.errors import AlongsideError, ForbiddenError
from service.fhir.endpoint import require
from service.smart.fetching import Fetcher, networks_of
from service.smart.issuers import KnownIssuer
from service.smart.key_sets import KeySets
from service.smart.keys import OUTSIDE
from service.smart.outside import OutsideTokens, RefusedTokenError
from service.smart.people import Vouching, check_vouching
from service.smart.tokens import access_of_row
from tests.assertions import jwk_set, rsa, signed
from tests.jwks_server import jwks_server

ISSUER, FHIR = "https://login.example", "http://127.0.0.1:8000/fhir"
LOCAL = Fetcher(networks_of("127.0.0.0/8,::1/128"))
HOSPITAL = "0199b7c25a017c908f6e2d4b6a8c0e12"
BOUND = (
    "0199b7c26c1f7a539d3e5b8f0c2a4e61",
    "harbor-login",
    "V",
    False,
    "TREAT",
    False,
    HOSPITAL,
    2,
)
ANYBODY = Vouching()
STAFF = Vouching(role_claim="role", roles={"clinician": "V", "coordinator": "R"})
PERSON = {
    "sub": "dr-1",
    "client_id": "ehr",
    "scope": "user/Patient.rs openid system/Observation.rs",
}


def access(
    people: Vouching | None, *, name: str = ISSUER, key: bytes = b"key", **said: Any
) -> Access:
    """What a token that says this is worth."""
    with jwks_server(jwk_set(rsa())) as server:
        known = KnownIssuer(
            issuer=name, audience=None, algorithms=OUTSIDE, jwks_url=server.url,
            introspection_url=None, login=None, scopes=Scopes("system/*.rs v1.read"), bound=BOUND,
            people=people,
        )  # fmt: skip
        tokens = OutsideTokens(
            fetcher=LOCAL, key_sets=KeySets(LOCAL.get), cipher=Cipher(""), audience=FHIR,
            clock=system_clock, key=key,
        )  # fmt: skip
        ends = int(system_clock().timestamp()) + 600
        claims = {"iss": name, "aud": FHIR, "exp": ends, **PERSON, **said}
        given = {claim: value for claim, value in claims.items() if value is not None}
        row = tokens.row_of(signed(rsa(), given, typ="at+jwt"), [known])
    return access_of_row(row, microseconds(system_clock()))


def test_a_person_has_what_user_scopes_say_and_nothing_of_what_others_say():
    found = access(ANYBODY, scope="user/Patient.rs system/Observation.rs v1.read")
    assert found.may("Patient", "r")
    assert not found.may("Observation", "r")
    assert "v1.read" not in found.scopes.names
    assert (found.context, found.audience, found.client) == ("user", 2, "harbor-login/ehr")
    with pytest.raises(ForbiddenError, match=r"user/Observation\.r"):
        require(found, "Observation", "r")


def test_an_issuer_that_may_not_vouch_for_people_has_its_programs_only():
    found = access(None)
    assert (found.person, found.context) == (None, "system")
    assert found.may("Observation", "r")
    assert not found.may("Patient", "r")
    program = access(ANYBODY, scope="system/Observation.rs")
    assert (program.person, program.may("Observation", "r")) == (None, True)


def test_a_person_is_known_by_a_pseudonym_of_issuer_and_sub():
    one = access(ANYBODY).person
    assert one is not None
    assert "dr-1" not in one
    assert access(ANYBODY, scope="user/*.r").person == one
    others = {
        access(ANYBODY, sub="dr-2").person,
        access(ANYBODY, name="https://other.example").person,
        access(ANYBODY, key=b"another").person,
    }
    assert len(others | {one}) == 4


@pytest.mark.parametrize("sub", [None, "", "ehr", 7, "x" * 256])
def test_user_scopes_of_nobody_are_refused(sub: Any):
    with pytest.raises(RefusedTokenError, match="sub must name a person"):
        access(ANYBODY, sub=sub)


def test_fhir_user_is_remembered_where_it_is_an_address():
    url = "https://ehr.example/Practitioner/1"
    assert access(ANYBODY, fhirUser=url).fhir_user == url
    for wrong in (7, "has a space", "x" * 501, None):
        assert access(ANYBODY, fhirUser=wrong).fhir_user is None


@pytest.mark.parametrize(
    ("said", "role", "ceiling"),
    [("clinician", "clinician", 2), ("coordinator", "coordinator", 1),
     (["coordinator", "clinician", "barber"], "clinician", 2)],
)  # fmt: skip
def test_a_role_has_its_own_ceiling(said: Any, role: str, ceiling: int):
    found = access(STAFF, role=said)
    assert (found.role, found.ceiling) == (role, ceiling)


def test_a_role_does_not_raise_the_ceiling_of_its_issuer():
    low = replace(STAFF, roles={"clinician": "V"})
    restricted = (*BOUND[:2], "R", *BOUND[3:])
    globals_ = access(low, role="clinician")
    assert globals_.ceiling == 2
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("tests.service.smart.test_people.BOUND", restricted)
        assert access(low, role="clinician").ceiling == 1


@pytest.mark.parametrize("said", [None, "barber", 7, [], "patient", ["clinician", "patient"]])
def test_who_has_no_role_that_is_let_in_is_refused(said: Any):
    with pytest.raises(RefusedTokenError, match="no role that is let in"):
        access(STAFF, role=said)


@pytest.mark.parametrize(
    "people",
    [
        Vouching(role_claim="role"),
        Vouching(roles={"clinician": "V"}),
        Vouching(role_claim="role", roles={"patient": "V"}),
        Vouching(role_claim="role", roles={"barber": "V"}),
        Vouching(role_claim="role", roles={"clinician": "X"}),
    ],
    ids=["no-roles", "no-claim", "patient", "unknown", "ceiling"],
)
def test_what_cannot_be_meant_is_refused_where_the_issuer_is_added(people: Vouching):
    with pytest.raises(AlongsideError):
        check_vouching(people)
