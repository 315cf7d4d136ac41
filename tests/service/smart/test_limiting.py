"""How often the authorization server may be asked, and who is never locked out by whom."""

import base64

import pytest
from limits import parse
from pydantic import ValidationError

from service.settings import Settings, rate_of
from service.smart.counters import Counters
from service.smart.limiting import Limiter, Rates, claimed, counted
from service.smart.messages import TooManyRequestsError
from tests.assertions import claims, rsa, signed


class Now:
    """A clock that a test sets ahead."""

    at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def now():
    return Now()


def limiter(now, **rates: str) -> Limiter:
    return Limiter(Rates(**{name: parse(rate) for name, rate in rates.items()}), now)


def test_an_address_may_ask_so_often_and_again_when_its_time_has_come(now):
    found = limiter(now, address="2/minute")
    found.admit("a")
    now.at += 20
    found.admit("a")
    found.admit("b")
    with pytest.raises(TooManyRequestsError) as refused:
        found.admit("a")
    assert dict(refused.value.get_headers())["Retry-After"] == "40"
    now.at += 40
    found.admit("a")


def test_who_guesses_at_a_client_locks_out_nobody_but_itself(now):
    found = limiter(now, failures="2/minute", client="5/minute")
    for _ in range(3):
        found.check("attacker", "harbor") if _ < 2 else None
        found.failed("attacker", "harbor")
    with pytest.raises(TooManyRequestsError):
        found.check("attacker", "harbor")
    found.check("attacker", "another")
    found.check("hospital", "harbor")
    for _ in range(5):
        found.proved("harbor")
    with pytest.raises(TooManyRequestsError):
        found.proved("harbor")
    found.proved("another")


def test_without_rates_nothing_is_counted(now):
    found = Limiter(now=now)
    for _ in range(1000):
        found.admit("a")
        found.failed("a", "b")
        found.check("a", "b")
        found.proved("b")


def test_counters_have_a_most_and_let_the_oldest_go(now):
    counters = Counters(now, most=3)
    for key in "abcd":
        counters.incr(key, 60)
    assert [counters.get(key) for key in "abcd"] == [0, 1, 1, 1]
    now.at += 61
    assert counters.incr("b", 60) == 1
    assert counters.reset() == 1  # what had ended went with it
    assert counters.check()


def test_counters_forget_a_key_and_one_that_has_ended(now):
    counters = Counters(now)
    assert [counters.incr("a", 60), counters.incr("a", 60, 2)] == [1, 3]
    assert counters.get_expiry("a") == 1060
    counters.clear("a")
    assert counters.get("a") == 0
    counters.incr("a", 60)
    now.at += 60
    assert counters.get("a") == 0


@pytest.mark.parametrize(
    ("address", "as_what"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("testclient", "testclient"),
        ("x" * 1000, "x" * 64),
        ("", ""),
        (None, ""),
    ],
)
def test_an_address_is_counted_with_its_network(address, as_what):
    assert counted(address) == as_what


def basic(text: bytes) -> str:
    return f"Basic {base64.b64encode(text).decode()}"


@pytest.mark.parametrize(
    ("form", "authorization", "name"),
    [
        ({}, None, ""),
        ({"client_id": "harbor"}, None, "harbor"),
        ({"client_id": "other"}, basic(b"harbor:x"), "harbor"),
        ({}, basic(b"harbor"), "harbor"),
        ({"client_id": "x"}, "Basic ", ""),
        ({"client_id": "x"}, "Basic \xff", ""),
        ({}, basic(b"\xff:x"), ""),
        ({"client_id": "x" * 1000}, "Bearer y", "x" * 64),
        ({"client_assertion": "nonsense", "client_id": "x"}, None, ""),
        ({"client_assertion": "e30.e30.AA"}, None, ""),
    ],
)
def test_whom_a_caller_says_to_be(form, authorization, name):
    assert claimed(form, authorization) == name


def test_whom_an_assertion_says_to_be():
    text = signed(rsa(), claims("harbor", "https://a.example"))
    assert claimed({"client_assertion": text, "client_id": "other"}, None) == "harbor"


@pytest.mark.parametrize("rate", ["60", "often", "60/fortnight", "1/second;2/minute", "", "-1/day"])
def test_a_rate_that_is_none_is_named(rate):
    with pytest.raises(ValidationError, match="oauth_client_rate"):
        Settings(oauth_client_rate=rate)


def test_a_rate_may_be_off():
    assert rate_of(Settings(oauth_client_rate="off").oauth_client_rate) is None
    assert rate_of("5/second").amount == 5


@pytest.mark.parametrize("space", [" ", "\t", "  ", " \t"])
def test_a_claim_is_found_whatever_parts_it_from_the_scheme(space):
    proof = base64.b64encode(b"harbor-ehr:secret").decode()
    assert claimed({}, f"Basic{space}{proof}") == "harbor-ehr"
    assert claimed({}, "") == claimed({}, None) == claimed({}, "Basic") == ""
