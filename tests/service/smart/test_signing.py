"""What we sign with: new keys sign at once, old ones are published until what they signed ends."""

import threading
from contextlib import suppress
from datetime import timedelta

import orjson
import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from service.clock import microseconds, system_clock
from service.driver import fetched
from service.encryption import Cipher, new_key
from service.errors import BusyError, NotFoundError, SecretsError
from service.smart import signing
from service.smart.keys import Algorithm, registered
from service.smart.signing import KEYS, PUBLISHED
from tests.conftest import open_database

PAIRS = {}
CIPHER = Cipher(new_key())


def pairs(number: int):
    """Keys are slow to make: each test's first are the same as another's."""
    return PAIRS.setdefault(number, signing.new_pairs())


def rotate(database, number: int, *, now=None, cipher=CIPHER, **more):
    moment = now or system_clock()
    return database.unit_of_work(
        lambda session: signing.rotate(session, cipher, pairs(number), now=moment, **more), KEYS
    )


def published(database, now=None) -> list[dict]:
    at = microseconds(now or system_clock())
    rows = database.read(lambda session: fetched(session, signing.SELECT_PUBLISHED, (at,)))
    return orjson.loads(signing.jwk_set([public for (public,) in rows]))["keys"]


def sign(database, algorithm: Algorithm, cipher=CIPHER) -> str:
    key = database.read(lambda session: signing.signing_key(session, cipher, algorithm))
    header = {"alg": algorithm.value, "kid": key.kid}
    return jwt.encode(header, {"sub": "x"}, key, algorithms=[algorithm.value])


def verify(token: str, keys: list[dict]) -> dict:
    found = KeySet.import_key_set({"keys": keys})
    return jwt.decode(token, found, algorithms=list(Algorithm)).claims


def test_there_is_nothing_to_sign_with_before_the_first_rotation(database):
    assert published(database) == []
    with pytest.raises(NotFoundError, match="alongside keys rotate"):
        sign(database, Algorithm.ES384)


def test_the_new_keys_sign_and_the_old_ones_are_published_until_what_they_signed_has_ended(
    database,
):
    now = system_clock()
    rotate(database, 1, now=now)
    before = {each: sign(database, each) for each in Algorithm}
    rotate(database, 2, now=now + timedelta(minutes=1))
    after = {each: sign(database, each) for each in Algorithm}
    both = published(database, now + timedelta(minutes=2))
    assert len(both) == 4
    for token in (*before.values(), *after.values()):
        assert verify(token, both) == {"sub": "x"}
    later = published(database, now + timedelta(minutes=1) + PUBLISHED)
    assert [key["kid"] for key in later] == [pair.kid for pair in reversed(pairs(2))]
    for token in before.values():
        with pytest.raises(JoseError, match="kid"):
            verify(token, later)


def test_what_is_published_holds_nothing_that_is_secret_and_can_be_registered(database):
    rotate(database, 1)
    keys = published(database)
    for key in keys:
        assert set(key) <= {"kid", "use", "alg", "kty", "n", "e", "crv", "x", "y"}
    document = orjson.dumps({"keys": keys})
    assert registered(document, ("RS384", "ES384")) == {"keys": keys}


def test_a_retired_key_keeps_no_private_half_and_is_forgotten_once_it_has_ended(database):
    now = system_clock()
    rotate(database, 1, now=now)
    rotate(database, 2, now=now)
    kept = database.read(signing.all_keys)
    assert [key.private is None for key in kept] == [False, False, True, True]
    rotate(database, 3, now=now + PUBLISHED)
    assert len(database.read(signing.all_keys)) == 4


def test_a_rotation_by_age_may_be_repeated(database):
    now = system_clock()
    age = timedelta(days=30)
    assert len(rotate(database, 1, now=now, older_than=age)) == 2
    assert rotate(database, 2, now=now + age - timedelta(seconds=1), older_than=age) == []
    assert len(rotate(database, 2, now=now + age, older_than=age)) == 2
    assert rotate(database, 3, now=now + age, older_than=age) == []


def test_several_who_rotate_at_once_leave_one_key_of_each_kind_that_signs(database_url):
    databases = [open_database(database_url) for _ in range(4)]
    for number in range(1, 5):
        pairs(number)

    def ask(database, number: int) -> None:
        with suppress(BusyError):  # a slow disk; nothing of it is kept
            rotate(database, number)

    threads = [
        threading.Thread(target=ask, args=(each, number))
        for number, each in enumerate(databases, 1)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    kept = databases[0].read(signing.all_keys)
    assert len([key for key in kept if key.private]) == 2
    for each in databases:
        each.close()


def test_private_keys_are_encrypted_and_can_be_encrypted_again(sqlite_database, sqlite_url):
    rotate(sqlite_database, 1)
    with open(sqlite_url.removeprefix("sqlite:///"), "rb") as file:  # noqa: PTH123
        content = file.read()
    for pair in pairs(1):
        assert orjson.loads(pair.private)["d"].encode() not in content
    former, present = CIPHER, new_key()
    with pytest.raises(SecretsError):
        sign(sqlite_database, Algorithm.RS384, Cipher(present))
    both = Cipher(f"{present},{new_key()}")
    with pytest.raises(SecretsError):  # without the former key nothing is lost
        sqlite_database.unit_of_work(lambda session: signing.encrypt_again(session, both), KEYS)
    assert sign(sqlite_database, Algorithm.RS384, former)


def test_keys_are_encrypted_again_by_the_first_key_and_then_need_it_alone(sqlite_database):
    former, present = new_key(), new_key()
    rotate(sqlite_database, 1, cipher=Cipher(former))
    both = Cipher(f"{present},{former}")
    work = sqlite_database.unit_of_work
    assert work(lambda session: signing.encrypt_again(session, both), KEYS) == 2
    assert work(lambda session: signing.encrypt_again(session, both), KEYS) == 0
    assert sign(sqlite_database, Algorithm.ES384, Cipher(present))


def test_without_a_key_to_encrypt_by_nothing_is_kept(database):
    with pytest.raises(SecretsError):
        rotate(database, 1, cipher=Cipher(""))
    assert database.read(signing.all_keys) == []
