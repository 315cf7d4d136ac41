"""Which public keys a client may register, and which one an assertion names."""

import json

import pytest
from joserfc.jwk import OctKey

from service.errors import InvalidError
from service.smart.keys import ALGORITHMS, KeyRefusedError, imported, keys_of, named, registered
from tests.assertions import ec, jwk_set, public, rsa

RSA, EC = public(rsa())[0], public(ec())[0]


def document(*keys: object) -> bytes:
    return json.dumps({"keys": keys}).encode()


def test_a_set_is_kept_without_what_is_not_needed():
    kept = registered(document({**RSA, "x5c": ["..."], "owner": "A. Person"}, EC), ALGORITHMS)
    assert kept == {"keys": [RSA, EC]}


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "not JSON"),
        (b"[" * 5000, "not JSON"),
        (b"[]", "not a JWK Set"),
        (b'{"keys": {}}', "not a JWK Set"),
        (b'{"keys": [1]}', "not a JWK Set"),
        (b'{"keys": []}', "no key"),
        (document({**RSA, "kid": ""}), "has no kid"),
        (document({**RSA, "kid": 7}), "has no kid"),
        (document({**RSA, "kty": "OKP"}), "has none of the types"),
        (document({**RSA, "n": "AQAB"}), "2048 to 8192 bits"),
        (document({**RSA, "n": "_" * 340}), "2048 to 8192 bits"),
        (document({**RSA, "n": "_" * 1400}), "2048 to 8192 bits"),
        (document({**RSA, "e": "_" * 40}), "exponent is too large"),
        (document({**RSA, "n": 5}), "cannot be read"),
        (document({**RSA, "e": "!"}), "cannot be read"),
        (document({"kty": "RSA", "kid": "x"}), "cannot be read"),
        (document({**RSA, "use": "enc"}), "use is not sig"),
        (document({**RSA, "key_ops": ["sign"]}), "do not have verify"),
        (document({**RSA, "alg": "RS256"}), "alg is not RS384"),
        (document({**EC, "crv": "P-256"}), "takes a key on P-384"),
        (document({**EC, "x": EC["y"]}), "cannot be read"),
        (document(RSA, RSA), "2 keys have the kid rsa-1"),
        (document(RSA, {**EC, "kid": "rsa-1"}), "2 keys have the kid rsa-1"),
        (document(rsa().as_dict(private=True)), "private or symmetric"),
        (document(OctKey.generate_key().as_dict()), "private or symmetric"),
    ],
    ids=lambda value: value if isinstance(value, str) else "set",  # keys are new in each process
)
def test_a_set_that_cannot_be_used_is_refused_with_the_rule(content, rule):
    with pytest.raises(InvalidError, match=rule):
        registered(content, ALGORITHMS)


def test_a_key_of_an_algorithm_that_the_client_may_not_use_is_refused():
    with pytest.raises(InvalidError, match="types that ES384 use"):
        registered(jwk_set(rsa()), ["ES384"])


def test_a_key_is_named_by_kid_and_type():
    keys = [RSA, EC, {**RSA, "kid": "twice"}, {**RSA, "kid": "twice"}, {"kty": "EC"}]
    assert named(keys, "rsa-1", "RS384") == RSA
    assert named(keys, "ec-1", "ES384") == EC
    assert named(keys, "rsa-1", "ES384") is None
    assert named(keys, "twice", "RS384") is None
    assert named(keys, "nobody", "RS384") is None


def test_only_a_key_of_the_algorithm_is_imported():
    assert imported(RSA, "RS384").key_type == "RSA"
    assert imported({**EC, "alg": "ES384", "use": "sig"}, "ES384").key_type == "EC"
    with pytest.raises(KeyRefusedError):
        imported(RSA, "ES384")
    with pytest.raises(KeyRefusedError):
        imported(EC, "RS384")


def test_other_keys_may_stand_in_a_fetched_set():
    other = {"kty": "OKP", "crv": "X25519", "x": "AAAA"}
    assert keys_of(document(other, RSA)) == [other, RSA]
