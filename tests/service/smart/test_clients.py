"""Clients: whose they are, what they may ask for, and what is kept of their secret."""

import pytest

from service.errors import BusinessRuleError, DuplicateError, NotFoundError, ValueSetError
from service.smart.clients import (
    NewClient,
    add_client,
    all_clients,
    client_named,
    disable_client,
    has_secret,
)
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


@pytest.mark.parametrize("scopes", [(), ("patient/*.rs",), ("system/*.rs", "x"), ("system/*.",)])
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
