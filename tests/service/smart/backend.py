"""A server with a client that signs, and what its tests ask again and again."""

from datetime import timedelta

from service.clock import system_clock
from service.database import Database
from service.smart.clients import Keys, NewClient, add_client
from service.smart.fetching import Fetcher, networks_of
from service.smart.messages import TokenReply
from service.smart.server import Server
from tests.assertions import claims, ec, form, jwk_set, rsa

BASE = "http://127.0.0.1:8000"
TOKEN_URL = f"{BASE}/oauth/token"
LOCAL = Fetcher(networks_of("127.0.0.0/8,::1/128"))
NAME = "harbor-ehr"


class Moved:
    """A clock that a test sets ahead."""

    by = timedelta()

    def __call__(self):
        return system_clock() + self.by


def server_on(database: Database, clock=system_clock) -> Server:
    return Server(database, base_url=BASE, seconds=300, clock=clock, fetcher=LOCAL)


def register(database: Database, name: str = NAME, **keys) -> None:
    given = Keys(**(keys or {"jwks": jwk_set(rsa(), ec())}))
    new = NewClient(name=name, scopes=("system/*.rs",), keys=given)
    database.unit_of_work(lambda session: add_client(session, new))


def ask(server: Server, assertion: str, **more: str) -> TokenReply:
    return server.reply(list(form(assertion, **more).items()), None)


def refused(reply: TokenReply, said: str = "Client authentication failed") -> None:
    assert (reply.status, reply.body["error"]) == (401, "invalid_client")
    assert said in reply.body["error_description"]
    assert reply.body["error_description"].isascii()
    assert dict(reply.headers)["Cache-Control"] == "no-store"
    assert reply.client is None


def good(**changes) -> dict:
    return claims(NAME, TOKEN_URL, **changes)
