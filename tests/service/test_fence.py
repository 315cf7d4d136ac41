"""The fence between answers and commits that take something away (ADR 0036)."""

import asyncio
import threading
import time

import pytest

from service import fence as module
from service.errors import BusyError, OccupiedError
from service.fence import Fence
from service.models.documents import PUBLIC

HOSPITAL, OTHER = 2, 3


def enter(fence: Fence, audience: int = HOSPITAL):
    noted = fence.note(audience)
    assert asyncio.run(fence.enter(noted))
    return noted


def test_who_noted_before_something_was_taken_away_does_not_enter():
    fence = Fence()
    before, other = fence.note(HOSPITAL), fence.note(OTHER)
    with fence.closed({HOSPITAL: 1}):
        pass
    assert not asyncio.run(fence.enter(before))
    assert asyncio.run(fence.enter(other))
    assert asyncio.run(fence.enter(fence.note(HOSPITAL)))


def test_what_is_taken_from_the_public_is_taken_from_everybody():
    fence = Fence()
    before = fence.note(HOSPITAL)
    with fence.closed({PUBLIC: 1}):
        pass
    assert not asyncio.run(fence.enter(before))


@pytest.mark.parametrize("audience", [HOSPITAL, PUBLIC])
def test_a_commit_waits_for_who_is_being_answered(audience: int):
    fence, order = Fence(), []
    noted = enter(fence)

    def commit() -> None:
        with fence.closed({audience: 1}):
            order.append("committed")

    thread = threading.Thread(target=commit)
    thread.start()
    time.sleep(0.05)
    order.append("answered")
    fence.leave(noted)
    thread.join()
    assert order == ["answered", "committed"]


def test_a_commit_waits_for_nobody_of_another_audience_and_not_for_ever(
    monkeypatch: pytest.MonkeyPatch,
):
    fence = Fence()
    enter(fence, OTHER)
    began = time.monotonic()
    with fence.closed({HOSPITAL: 1}):
        pass
    assert time.monotonic() - began < module.SENDING_SECONDS
    monkeypatch.setattr(module, "SENDING_SECONDS", 0.02)
    with fence.closed({OTHER: 1}):
        pass


def test_a_commit_that_must_not_wait_is_refused_and_takes_nothing_away():
    fence = Fence()
    noted = enter(fence)
    with pytest.raises(OccupiedError), fence.closed({HOSPITAL: 1}, wait=False):
        raise AssertionError
    fence.leave(noted)
    assert asyncio.run(fence.enter(noted))


def test_who_comes_during_a_commit_waits_for_it_and_then_begins_again(
    monkeypatch: pytest.MonkeyPatch,
):
    fence = Fence()
    with fence.closed({HOSPITAL: 1}):
        noted = fence.note(HOSPITAL)
        monkeypatch.setattr(module, "COMMIT_SECONDS", 0.02)
        with pytest.raises(BusyError):
            asyncio.run(fence.enter(noted))
    assert not asyncio.run(fence.enter(noted))


def test_what_another_process_took_away_is_known_by_the_database():
    fence = Fence()
    assert not fence.knows(HOSPITAL)
    fence.learn(HOSPITAL, {HOSPITAL: 4})
    assert fence.knows(HOSPITAL)
    noted = fence.note(HOSPITAL)
    assert fence.holds(noted, {HOSPITAL: 4, OTHER: 9})
    assert not fence.holds(noted, {HOSPITAL: 5})
    assert fence.holds(fence.note(HOSPITAL), {HOSPITAL: 5})


def test_a_commit_that_fails_does_not_pass_for_one_that_the_database_has():
    fence = Fence()
    fence.learn(HOSPITAL, {HOSPITAL: 4})
    with pytest.raises(RuntimeError), fence.closed({HOSPITAL: 5}):
        raise RuntimeError
    noted = fence.note(HOSPITAL)
    assert fence.holds(noted, {HOSPITAL: 4})
    assert not fence.holds(noted, {HOSPITAL: 5})
