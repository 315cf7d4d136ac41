"""Clients: whose they are, what they may ask for, and what is kept of their secret."""

import pytest

from service.errors import (
    BusinessRuleError,
    DuplicateError,
    InvalidError,
    NotFoundError,
    ValueSetError,
)
from service.smart.clients import (
    Keys,
    NewClient,
    add_client,
    all_clients,
    client_named,
    disable_client,
    has_secret,
    rotate_client,
)
from tests.assertions import ec, jwk_set, rsa
from tests.world import hospital, now


def add(database, **more):
    new = NewClient(**{"name": "a-client", "scopes": ("system/*.rs",), **more})
    return database.unit_of_work(lambda session: add_client(session, new))


def test_only_the_right_secret_is_the_clients(database):
    client, secret = add(database)
    assert has_secret(client, secret)
    assert not has_secret(client, secret + "x")
    assert secret not in client.secret_hash
    assert len(secret) == 43  # 256 bits


@pytest.mark.parametrize("name", ["", "a", "A-b", "-ab", "a b", "a:b", "x" * 64, "ä-b"])
def test_a_name_that_basic_authentication_cannot_carry_is_refused(sqlite_database, name):
    with pytest.raises(ValueSetError, match="name"):
        add(sqlite_database, name=name)


@pytest.mark.parametrize(
    "scopes", [(), ("patient/*.rs",), ("system/*.rs", "x"), ("system/*.",), ("system/*.rs?x",)]
)
def test_a_scope_that_is_not_known_here_is_refused(sqlite_database, scopes):
    with pytest.raises(ValueSetError, match="scopes"):
        add(sqlite_database, scopes=scopes)


def test_a_hospitals_client_may_not_have_the_programmes_scopes(database):
    connection = hospital(database)
    with pytest.raises(BusinessRuleError):
        add(database, connection_id=connection.id, scopes=("v1.read",))


def test_a_name_is_given_once(database):
    add(database)
    with pytest.raises(DuplicateError):
        add(database)


def test_a_client_is_disabled_once_and_stays_listed(database):
    add(database)
    first = now()
    database.unit_of_work(lambda session: disable_client(session, "a-client", first))
    database.unit_of_work(lambda session: disable_client(session, "a-client", now()))
    (client,) = database.read(all_clients)
    assert client.disabled_at == first


def test_an_unknown_client_is_not_found(database):
    with pytest.raises(NotFoundError, match="nobody"):
        database.read(lambda session: client_named(session, "nobody"))


def rotate(database, keys=None):
    return database.unit_of_work(lambda session: rotate_client(session, "a-client", keys))


def test_a_client_with_keys_has_no_secret(database):
    client, secret = add(database, keys=Keys(jwks=jwk_set(rsa())))
    assert (secret, client.secret_hash, client.has_keys) == ("", None, True)
    assert client.algorithms == ["ES384", "RS384"]
    assert not any(has_secret(client, each) for each in ("", "None", "x"))


@pytest.mark.parametrize(
    "keys",
    [
        Keys(),
        Keys(jwks=jwk_set(rsa()), jwks_url="https://harbor.example/jwks"),
        Keys(jwks=jwk_set(rsa()), algorithms=()),
        Keys(jwks=jwk_set(rsa()), algorithms=("RS256",)),
        Keys(jwks=jwk_set(rsa()), algorithms=("ES384",)),
        Keys(jwks=b"{}"),
    ],
)
def test_keys_that_cannot_be_are_refused(sqlite_database, keys):
    with pytest.raises(InvalidError):
        add(sqlite_database, keys=keys)
    assert sqlite_database.read(all_clients) == []


def test_a_new_secret_ends_the_one_before(database):
    _, before = add(database)
    client, after = rotate(database)
    assert has_secret(client, after)
    assert not has_secret(client, before)


def test_a_client_moves_from_a_secret_to_keys_and_between_them(database):
    _, secret = add(database)
    client, nothing = rotate(database, Keys(jwks=jwk_set(ec()), algorithms=("ES384",)))
    assert nothing == ""
    assert not has_secret(client, secret)
    assert client.jwks["keys"][0]["kid"] == "ec-1"
    client, _ = rotate(database, Keys(jwks_url="https://harbor.example/jwks"))
    assert client.jwks is None
    assert client.jwks_url == "https://harbor.example/jwks"


def test_a_client_with_keys_gets_no_secret_by_mistake(sqlite_database):
    add(sqlite_database, keys=Keys(jwks=jwk_set(rsa())))
    with pytest.raises(BusinessRuleError, match="new keys"):
        rotate(sqlite_database)


def test_an_unknown_client_is_not_rotated(sqlite_database):
    with pytest.raises(NotFoundError):
        rotate(sqlite_database)
