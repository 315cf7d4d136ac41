"""A client's JWK Set is kept as its server says, and fetched again where a kid is unknown."""

import threading

import pytest

from service.smart import key_sets
from service.smart.fetching import Fetched, FetchError
from service.smart.key_sets import KeySets, seconds_of
from tests.assertions import ec, jwk_set, rsa
from tests.service.smart.test_known_tokens import Ticking

URL = "https://harbor.example/jwks"


class Hospital:
    """Answers with its keys, and counts how often it is asked."""

    def __init__(self) -> None:
        self.content = jwk_set(rsa())
        self.cache_control: str | None = "max-age=60"
        self.failing = False
        self.asked = 0

    def __call__(self, url: str) -> Fetched:
        assert url == URL
        self.asked += 1
        if self.failing:
            raise FetchError("answers 500")
        return Fetched(self.content, self.cache_control, None)


@pytest.fixture
def hospital() -> Hospital:
    return Hospital()


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def sets(hospital, clock) -> KeySets:
    return KeySets(hospital, clock)


def test_a6_42_a_set_is_not_asked_for_again_while_it_may_be_kept(sets, hospital, clock):
    for _ in range(3):
        assert sets.find(URL, "rsa-1", "RS384") is not None
    clock.now += 59
    sets.find(URL, "rsa-1", "RS384")
    assert hospital.asked == 1


def test_a6_42_a_set_is_kept_no_longer_than_it_may_be(sets, hospital, clock):
    sets.find(URL, "rsa-1", "RS384")
    hospital.content = jwk_set(ec())
    clock.now += 60
    assert sets.find(URL, "rsa-1", "RS384") is None
    assert hospital.asked == 2


@pytest.mark.parametrize("said", ["no-store", "no-cache", "max-age=0", "private, No-Store"])
def test_a6_42_what_may_not_be_kept_is_not(sets, hospital, said):
    hospital.cache_control = said
    for _ in range(2):
        sets.find(URL, "rsa-1", "RS384")
    assert hospital.asked == 2


def test_a6_42_an_unknown_kid_is_asked_for_once_in_a_while(sets, hospital, clock):
    sets.find(URL, "rsa-1", "RS384")
    hospital.content = jwk_set(rsa(), ec())
    clock.now += key_sets.PAUSE_SECONDS
    assert sets.find(URL, "ec-1", "ES384") is not None  # rotated: found at once
    for number in range(20):
        assert sets.find(URL, f"made-up-{number}", "ES384") is None
    assert hospital.asked == 2


def test_a_failure_is_not_repeated_at_once_and_spoils_nothing_that_is_kept(sets, hospital, clock):
    sets.find(URL, "rsa-1", "RS384")
    hospital.failing = True
    clock.now += key_sets.PAUSE_SECONDS
    for _ in range(5):
        with pytest.raises(FetchError):
            sets.find(URL, "made-up", "RS384")
    assert hospital.asked == 2
    assert sets.find(URL, "rsa-1", "RS384") is not None
    hospital.failing = False
    clock.now += key_sets.PAUSE_SECONDS
    assert sets.find(URL, "made-up", "RS384") is None
    assert hospital.asked == 3


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", jwk_set()[:-1]])
def test_what_is_no_set_is_a_failure(sets, hospital, content):
    hospital.content = content
    with pytest.raises(FetchError):
        sets.find(URL, "rsa-1", "RS384")


def test_those_who_come_together_ask_once(clock):
    asked, go_on = [], threading.Event()

    def slow(url: str) -> Fetched:
        asked.append(url)
        go_on.wait(5)
        return Fetched(jwk_set(rsa()), "max-age=60", None)

    sets = KeySets(slow, clock)
    found: list[object] = []
    threads = [
        threading.Thread(target=lambda: found.append(sets.find(URL, "rsa-1", "RS384")))
        for _ in range(4)
    ]
    for each in threads:
        each.start()
    go_on.set()
    for each in threads:
        each.join()
    assert len(asked) == 1
    assert all(found)
    assert len(found) == 4


def test_nobody_waits_for_ever(clock, monkeypatch):
    monkeypatch.setattr(key_sets, "PATIENCE_SECONDS", 0.01)
    go_on, first_asked = threading.Event(), threading.Event()

    def stuck(_url: str) -> Fetched:
        first_asked.set()
        go_on.wait(5)
        raise FetchError("takes too long")

    sets = KeySets(stuck, clock)

    def ask() -> None:
        with pytest.raises(FetchError, match="takes too long"):
            sets.find(URL, "x", "RS384")

    first = threading.Thread(target=ask)
    first.start()
    assert first_asked.wait(5)
    with pytest.raises(FetchError, match="being asked"):
        sets.find(URL, "x", "RS384")
    go_on.set()
    first.join()


@pytest.mark.parametrize(
    ("said", "age", "seconds"),
    [
        (None, None, key_sets.UNTOLD_SECONDS),
        ("public", None, key_sets.UNTOLD_SECONDS),
        ("max-age=60", None, 60),
        ("public, MAX-AGE = 60", "20", 40),
        ("max-age=60", "90", 0),
        ("max-age=60", "x", 60),
        ("max-age=99999999", None, key_sets.LONGEST_SECONDS),
        ("s-maxage=5", None, key_sets.UNTOLD_SECONDS),
        ("max-age=60, no-cache", None, 0),
    ],
)
def test_how_long_an_answer_may_be_kept(said, age, seconds):
    assert seconds_of(Fetched(b"", said, age)) == seconds
