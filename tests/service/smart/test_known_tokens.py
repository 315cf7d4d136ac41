"""What a process remembers of tokens, and for how long."""

from service.smart import known_tokens
from service.smart.known_tokens import KnownTokens

ROW = (1, False)


class Ticking:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_row_is_known_until_its_seconds_are_over():
    clock = Ticking()
    tokens = KnownTokens(2, clock)
    tokens.put("a", ROW, tokens.now())
    clock.now += 1.9
    assert tokens.get("a") == ROW
    clock.now += 0.1
    assert tokens.get("a") is None


def test_the_seconds_begin_before_the_database_was_asked():
    clock = Ticking()
    tokens = KnownTokens(2, clock)
    asked = tokens.now()
    clock.now += 3
    tokens.put("a", ROW, asked)
    assert tokens.get("a") is None


def test_with_no_seconds_nothing_is_known():
    tokens = KnownTokens(0)
    tokens.put("a", ROW, tokens.now())
    assert tokens.get("a") is None


def test_there_is_a_bound(monkeypatch):
    monkeypatch.setattr(known_tokens, "MOST", 3)
    tokens = KnownTokens(2)
    for name in "abcd":
        tokens.put(name, ROW, tokens.now())
    assert tokens.get("a") is None
    assert tokens.get("d") == ROW


def test_a_token_that_was_revoked_is_forgotten_at_once():
    tokens = KnownTokens(2, Ticking())
    tokens.put("a", ROW, tokens.now())
    tokens.put("b", ROW, tokens.now())
    tokens.forget("a")
    assert tokens.get("a") is None
    assert tokens.get("b") == ROW


def test_what_was_asked_for_before_a_token_was_forgotten_is_not_remembered_after():
    clock = Ticking()
    tokens = KnownTokens(2, clock)
    asked = tokens.now()
    tokens.forget("a")
    tokens.put("a", ROW, asked)
    assert tokens.get("a") is None
    clock.now += 0.1
    tokens.put("a", ROW, tokens.now())
    assert tokens.get("a") == ROW
