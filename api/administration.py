"""What is done to clients, by an operator at a shell or by a program of the programme's."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlmodel import Session

from api.context import Context
from service.models.connections import Client
from service.rows import check_version
from service.smart import clients, issuers
from service.smart.clients import Keys, NewClient
from service.smart.scopes import require_grantable

Change = Callable[[Session, Client], str]
T = TypeVar("T")


class Runner(Protocol):
    """The database, or a call of `/v1`, which may be part of a unit of work already."""

    def unit_of_work(self, work: Callable[[Session], T], /) -> T:
        """Run it and commit, or run it in the unit of work that has begun."""


def add_client(context: Context, runner: Runner, new: NewClient) -> tuple[Client, str]:
    """Add a client and return it with its secret; with keys it has none."""
    _check_address(context, new.keys)
    require_grantable(new.scopes, context.registry)
    return runner.unit_of_work(lambda session: clients.add_client(session, new))


def rotate_client(
    context: Context, runner: Runner, name: str, keys: Keys | None, seen: int | None = None
) -> tuple[Client, str]:
    """Give a client these keys, or a new secret, which is returned."""
    _check_address(context, keys)
    return _changed(
        runner, name, lambda session, _: clients.rotate_client(session, name, keys)[1], seen
    )


def disable_client(context: Context, runner: Runner, name: str, seen: int | None = None) -> Client:
    """Refuse this client from now on, with the tokens that it holds; this process does at once."""
    now = context.clock()

    def work(session: Session, _client: Client) -> str:
        clients.disable_client(session, name, now)
        return ""

    found, _ = _changed(runner, name, work, seen)
    context.known_tokens.clear()
    return found


def enable_client(runner: Runner, name: str, seen: int | None = None) -> Client:
    """Admit a client again; the tokens that it held are of no use any more."""

    def work(session: Session, client: Client) -> str:
        issuers.require_alone(session, client)
        clients.enable_client(session, name)
        return ""

    return _changed(runner, name, work, seen)[0]


def _changed(
    runner: Runner, name: str, change: Change, seen: int | None = None
) -> tuple[Client, str]:
    def work(session: Session) -> tuple[Client, str]:
        client = clients.client_named(session, name)
        check_version(client, seen)
        secret = change(session, client)
        session.flush()
        return client, secret

    return runner.unit_of_work(work)


def _check_address(context: Context, keys: Keys | None) -> None:
    """Raise InvalidError where no keys would be fetched from the address; it is not asked yet."""
    if keys is not None and keys.jwks_url is not None:
        context.server.fetcher.check(keys.jwks_url)
