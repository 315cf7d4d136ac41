"""SMART Backend Services: an assertion is good for one request.

Tests are named by the assertions of the table in docs/smart.md.
https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html
"""

import threading
from datetime import timedelta

from sqlmodel import select

from service.clock import system_clock
from service.models.connections import UsedAssertion
from service.smart.messages import TokenReply
from tests.assertions import claims, ec, rsa, signed
from tests.conftest import open_database
from tests.service.smart.backend import (
    NAME,
    TOKEN_URL,
    Moved,
    ask,
    good,
    refused,
    register,
    server_on,
)


def test_a6_42_an_assertion_is_taken_once(database):
    register(database)
    server, assertion = server_on(database), signed(rsa(), good())
    assert ask(server, assertion).status == 200
    refused(ask(server, assertion), "used before")
    jti = good()["jti"]
    assert ask(server, signed(ec(), good(jti=jti))).status == 200
    refused(ask(server, signed(rsa(), good(jti=jti))), "used before")


def test_a6_42_a_jti_is_each_clients_own_and_may_be_any_text(database):
    register(database)
    register(database, "another")
    server = server_on(database)
    for jti in ("same", "\x00", "ü\\\"'", "\ud800"):
        for name in (NAME, "another"):
            assertion = signed(rsa(), claims(name, TOKEN_URL, jti=jti))
            reply = ask(server, assertion)
            if jti != "\ud800":  # half a character is no text
                assert reply.status == 200
                refused(ask(server, assertion), "used before")
            else:
                refused(reply, "not JSON")


def test_a6_42_what_is_refused_uses_no_jti_up(server):
    register(server.database)
    content = good()
    refused(ask(server, signed(rsa("rsa-2"), content, kid="rsa-1")))
    assert ask(server, signed(rsa(), content)).status == 200


def test_a6_42_of_those_who_come_with_one_assertion_to_several_servers_one_is_served(database_url):
    databases = [open_database(database_url) for _ in range(4)]
    register(databases[0])
    assertion = signed(rsa(), good())
    replies: list[TokenReply] = []
    threads = [
        threading.Thread(target=lambda each=each: replies.append(ask(server_on(each), assertion)))
        for each in databases
        for _ in range(2)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(reply.status for reply in replies) == [200, *[401] * 7]
    for each in databases:
        each.close()


def test_a6_42_used_assertions_are_forgotten_once_they_have_ended(database):
    register(database)
    clock = Moved()
    server, assertion = server_on(database, clock), signed(rsa(), good())
    assert ask(server, assertion).status == 200
    clock.by = timedelta(seconds=315)  # ended, but within the leeway: still refused for its jti
    refused(ask(server, assertion), "used before")
    clock.by = timedelta(seconds=331)
    refused(ask(server, assertion), "has expired")
    clock.by = timedelta(seconds=400)
    later = int((system_clock() + clock.by).timestamp()) + 300
    assert ask(server, signed(rsa(), good(exp=later))).status == 200
    assert len(database.read(lambda session: session.exec(select(UsedAssertion)).all())) == 1
