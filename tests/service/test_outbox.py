"""Messages are delivered at least once, in order where they say so, and are never lost."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from service import outbox
from service.outbox import Claim, New, Retrying

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
LEASE = timedelta(seconds=15)
ALL = Claim(kinds=("a", "b"), limit=100, lease=LEASE)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def put(database, kind="a", **more):
    new = New(kind=kind, payload={"n": 1}, **more)
    return database.unit_of_work(lambda session: outbox.put(session, new, NOW))


def claim(database, at=NOW, wanted=ALL):
    return database.unit_of_work(lambda session: outbox.claim(session, wanted, at))


def do(database, what, *args):
    return database.unit_of_work(lambda session: what(session, *args))


def test_a_message_that_is_claimed_is_nobody_elses_until_its_lease_ends(database):
    one = put(database)
    (mine,) = claim(database)
    assert (mine.id, mine.kind, mine.payload, mine.attempts) == (one, "a", {"n": 1}, 1)
    assert claim(database, after(14)) == []
    (theirs,) = claim(database, after(15))
    assert (theirs.id, theirs.attempts) == (one, 2)
    assert theirs.idempotency_key == mine.idempotency_key
    assert not do(database, outbox.finish, mine)  # its lease was lost
    assert do(database, outbox.finish, theirs)
    assert claim(database, after(100)) == []


def test_a_message_goes_with_the_transaction_that_wrote_it(database):
    def work(session):
        outbox.put(session, New(kind="a", payload={}), NOW)
        raise LookupError

    with pytest.raises(LookupError):
        database.unit_of_work(work)
    assert claim(database) == []


def test_a_message_waits_for_its_time_and_for_who_knows_its_kind(database):
    put(database, due=after(60))
    put(database, kind="c")
    assert claim(database) == []
    assert not database.read(lambda session: outbox.is_waiting(session, ALL, NOW))
    assert database.read(lambda session: outbox.is_waiting(session, ALL, after(60)))
    assert len(claim(database, after(60))) == 1


def test_messages_with_one_order_are_delivered_in_it(database):
    first, second = (put(database, ordered_by="k") for _ in range(2))
    other = put(database, ordered_by="l")
    found = claim(database)
    assert [each.id for each in found] == [first, other]
    assert claim(database) == []
    do(database, outbox.postpone, found[0], "no", after(5))
    assert claim(database, after(1)) == []  # the second waits for the first
    (again,) = claim(database, after(5))
    assert again.id == first
    do(database, outbox.finish, again)
    assert [each.id for each in claim(database, after(5))] == [second]


def test_what_was_given_up_holds_up_nobody_and_is_replayed_with_the_same_key(database):
    first, second = (put(database, ordered_by="k") for _ in range(2))
    (mine,) = claim(database)
    do(database, outbox.give_up, mine, "the receiver answers 410", NOW)
    assert [each.id for each in claim(database)] == [second]
    (dead,) = database.read(outbox.dead_letters)
    assert (dead.id, dead.failure) == (first, "the receiver answers 410")
    assert do(database, outbox.replay, after(60), second) == 0
    assert do(database, outbox.replay, after(60), first) == 1
    again = next(each for each in claim(database, after(60)) if each.id == first)
    assert (again.idempotency_key, again.attempts) == (mine.idempotency_key, 1)
    assert do(database, outbox.replay, after(60)) == 0


def test_a_lane_that_is_full_is_passed_over(database):
    put(database, lane="slow")
    quick = put(database, lane="quick")
    none = put(database)
    wanted = Claim(kinds=("a",), limit=10, lease=LEASE, full=("slow", "slower"))
    assert [each.id for each in claim(database, wanted=wanted)] == [quick, none]


def test_no_two_workers_get_the_same_message(database):
    for _ in range(40):
        put(database)
    some = Claim(kinds=("a",), limit=3, lease=LEASE)

    def work(_):
        found = []
        while batch := claim(database, wanted=some):
            found += [each.id for each in batch]
        return found

    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(work, range(4)))
    everything = [one for part in parts for one in part]
    assert len(everything) == len(set(everything)) == 40


def test_depths_say_what_waits_and_since_when(database):
    put(database)
    put(database, due=after(60))
    put(database, kind="b")
    (one,) = claim(database, wanted=Claim(kinds=("b",), lease=LEASE))
    do(database, outbox.give_up, one, "no", NOW)
    a, b = database.read(lambda session: outbox.depths(session, after(10)))
    assert (a.kind, a.waiting, a.due, a.dead) == ("a", 2, 1, 0)
    assert (b.kind, b.waiting, b.due, b.oldest_due, b.dead) == ("b", 0, 0, None, 1)
    assert a.oldest_due == int(NOW.timestamp() * 1_000_000)


def test_pauses_double_up_to_the_longest_and_are_spread():
    pauses = Retrying(first=timedelta(seconds=2), longest=timedelta(seconds=30))
    most = [pauses.pause(n, lambda: 1.0).total_seconds() for n in (1, 2, 3, 4, 5, 60)]
    assert most == [2, 4, 8, 16, 30, 30]
    assert pauses.pause(3, lambda: 0.0) == timedelta(seconds=4)


def test_a_commit_with_a_message_is_news_and_another_is_not(sqlite_database):
    heard = []
    sqlite_database.news = lambda: heard.append(1)
    sqlite_database.unit_of_work(lambda _session: None)
    assert heard == []
    put(sqlite_database)
    assert heard == [1]
