"""One telling of a world: a database with the whole application on it, asked without a socket.

Ids and times follow from the numbers of facts and requests, so that what two tellings have in
common is the same in both, byte for byte.
"""

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlmodel import Session
from starlette.types import ASGIApp

from api.bootstrap import build
from api.main import create_app
from service import identifiers
from service.errors import OccupiedError
from service.handlers import execute_within
from service.models.connections import Confidentiality, Connection
from service.settings import Settings
from service.smart.clients import NewClient, add_client
from service.smart.tokens import Grant, issue
from tests.properties.roster.facts import Plan, Unit, at

BASE = "http://127.0.0.1:8000"
FOR_EVER = 10**9
NAMED = (b"x-request-id", b"asked")
UNLIMITED = {f"oauth_{name}_rate": "off" for name in ("address", "failure", "client")}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @property
    def bundle(self) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads(self.body)
        return found

    def link(self, relation: str) -> str | None:
        """The address of a link of the Bundle, as it is asked for here."""
        if b'"resourceType":"Bundle"' not in self.body[:200]:
            return None
        links = self.bundle.get("link", [])
        urls = [one["url"] for one in links if one["relation"] == relation]
        return str(urls[0]).removeprefix(BASE) if urls else None


@dataclass(frozen=True)
class Client:
    """Who asks; its secret is the same in both tellings."""

    name: str
    scope: str
    hospital: str | None = None
    ceiling: Confidentiality = Confidentiality.VERY_RESTRICTED
    roster: bool = True


class Ids:
    """Where every id of the domain comes from while worlds are told."""

    def __init__(self) -> None:
        self.begin(0)

    def begin(self, number: int) -> None:
        self.number, self.more = number, count()

    def __call__(self) -> UUID:
        digest = hashlib.sha256(f"{self.number}:{next(self.more)}".encode()).digest()
        return UUID(bytes=self.number.to_bytes(6, "big") + digest[:10])


IDS = Ids()


@contextmanager
def ids_of_numbers() -> Iterator[None]:
    before = identifiers.uuid7
    identifiers.uuid7 = IDS
    try:
        yield
    finally:
        identifiers.uuid7 = before


def ids_again(at_once: Callable[[], AbstractContextManager[None]]) -> Any:
    """Let a write that found the file occupied, and is made again, have the ids that it had."""

    @contextmanager
    def wrapped() -> Iterator[None]:
        try:
            with at_once():
                yield
        except OccupiedError:
            IDS.begin(IDS.number)
            raise

    return wrapped


class Installed:
    """A running service over one database, whose clock is that of the telling it is used for."""

    def __init__(self, url: str, folder: Path) -> None:
        self.number = 0
        self.context = build(settings_of(url, folder), lambda: at(self.number))
        self.context.database.at_once = ids_again(self.context.database.at_once)  # type: ignore[method-assign]
        self.app: ASGIApp = create_app(self.context)

    async def close(self) -> None:
        await self.context.reader.close()
        self.context.audit.close()
        self.context.database.close()


@dataclass
class Telling:
    """A world as it is told, in full or `alone`."""

    plan: Plan
    alone: bool
    service: Installed
    runner: asyncio.Runner
    things: dict[str, Any] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.number = 0
        self.database = self.service.context.database

    @property
    def number(self) -> int:
        """The number of the fact or request that is under way, from which the time follows."""
        return self.service.number

    @number.setter
    def number(self, value: int) -> None:
        self.service.number = value

    def now(self) -> datetime:
        return at(self.number)

    def id(self, name: str) -> UUID:
        found: UUID = self.things[name].id
        return found

    def tell(self, unit: Unit) -> None:
        """Carry out facts in one unit of work, each at its own time.

        Their documents are made at the time that it is, also of facts that nobody knew of.
        """
        before, now = self.things, unit[0].now

        def work(session: Session) -> None:
            self.things = dict(before)  # this may be a second attempt
            for one in unit:
                self.number = one.number
                IDS.begin(one.number)
                command = one.fact.make(self)
                if command is not None:
                    made = execute_within(session, self.database, command)
                    self.things[one.fact.name] = made
            self.number = now

        self.number = now
        self.database.unit_of_work(work)

    def admit(self, clients: list[Client], number: int) -> None:
        """Add clients with tokens that do not expire; those of hospitals that are there."""

        def work(session: Session) -> dict[str, str]:
            IDS.begin(number)
            return {client.name: self._token(session, client) for client in clients}

        self.number = number
        self.tokens |= self.database.unit_of_work(work)

    def _token(self, session: Session, client: Client) -> str:
        hospital: Connection | None = self.things[client.hospital] if client.hospital else None
        new = NewClient(
            name=client.name,
            scopes=tuple(client.scope.split()),
            connection_id=hospital.id if hospital else None,
            ceiling=client.ceiling,
            roster_role=client.roster,
        )
        row, _ = add_client(session, new)
        return issue(session, row, Grant(scope=client.scope, seconds=FOR_EVER), self.now())

    def ask(
        self,
        client: str | None,
        method: str,
        address: str,
        number: int,
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
    ) -> Answer:
        """Ask as a client that is known by name, at the time of the request's number."""
        self.number = number
        IDS.begin(number)
        named = [(name.encode(), value.encode()) for name, value in headers]
        if client is not None:
            token = self.tokens.get(client, client)  # or a token that is none
            named.append((b"authorization", f"Bearer {token}".encode()))
        path, _, query = address.partition("?")
        return self.runner.run(called(self.service.app, method, path, query, [*named, NAMED], body))

    def rows(self, sql: str, **values: object) -> list[Any]:
        with self.database.engine.connect() as connection:
            return list(connection.execute(text(sql), values))


async def called(
    app: ASGIApp,
    method: str,
    path: str,
    query: str,
    headers: list[tuple[bytes, bytes]],
    body: bytes,
) -> Answer:
    """What the application answers to one request, as a server would ask it."""
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http",
        "method": method, "path": unquote(path), "raw_path": path.encode(), "root_path": "",
        "query_string": query.encode(), "headers": headers, "state": {},
        "client": ("192.0.2.7", 1), "server": ("127.0.0.1", 8000),
    }  # fmt: skip
    left, sent = [body], list[Any]()

    async def receive() -> dict[str, Any]:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    content = b"".join(one.get("body", b"") for one in sent[1:])
    return Answer(sent[0]["status"], tuple(sent[0]["headers"]), content)


def settings_of(url: str, folder: Path) -> Settings:
    audit = f"sqlite:///{folder}/audit.db" if url.startswith("sqlite") else None
    return Settings(database_url=url, audit_database_url=audit, public_base_url=BASE, **UNLIMITED)
