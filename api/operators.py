"""What an operator does to clients and tokens; each act leaves an audit row of method CLI."""

import getpass
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import Session, col, select

from api.context import Context
from service.access import Scopes
from service.audit import AuditEntry
from service.clock import Clock, microseconds
from service.commands import CreateConnection, CreateFacility
from service.connections import create_connection, create_facility
from service.errors import AlongsideError, ForbiddenError, NotFoundError, ValueSetError
from service.identifiers import new_id
from service.models.aggregates import Aggregate
from service.models.connections import Confidentiality, Connection
from service.smart import clients
from service.smart.scopes import require_grantable
from service.smart.tokens import Grant, issue

CONNECTIONS = Aggregate("connections", "all")


@dataclass(frozen=True, kw_only=True)
class Registration:
    """A client to be added, with its connection by name."""

    name: str
    scopes: tuple[str, ...]
    connection: str | None = None
    ceiling: Confidentiality = Confidentiality.RESTRICTED
    roster_role: bool = False
    keys: clients.Keys | None = None


def token(context: Context, client: str, scope: str) -> str:
    """Return an access token for this client.

    Raises:
        NotFoundError: there is no such client.
        ForbiddenError: it is disabled, or may not have these scopes.
        ValueSetError: a scope is not one that is known here.
    """

    def work(session: Session) -> str:
        row = clients.client_named(session, client)
        if row.disabled_at is not None:
            raise ForbiddenError(f"{client} is disabled")
        names = scope.split()
        if not names:
            raise ValueSetError("name a scope, for example system/*.rs or v1.read")
        require_grantable(names, context.registry)
        if not Scopes(scope).within(Scopes(" ".join(row.scopes))):
            raise ForbiddenError(f"{client} may have: {' '.join(row.scopes)}")
        grant = Grant(
            scope=" ".join(names), seconds=context.settings.access_token_seconds, issued_by="cli"
        )
        return issue(session, row, grant, context.clock())

    with audited(context, client, "token", query=f"scope={scope}"):
        return context.database.unit_of_work(work)


def add_connection(context: Context, command: CreateConnection) -> UUID:
    """Add a hospital with the organisation that it is, and return the connection's id."""
    now = context.clock()

    def work(session: Session) -> UUID:
        connection = create_connection(session, command, now)
        session.flush()
        organisation = CreateFacility(connection_id=connection.id, name=command.name)
        create_facility(session, organisation, now)
        return connection.id

    with audited(context, command.name, "connections/add"):
        return context.database.unit_of_work(work, CONNECTIONS)


def all_connections(session: Session) -> Sequence[Connection]:
    return session.exec(select(Connection).order_by(col(Connection.name))).all()


def add_client(context: Context, registration: Registration) -> str:
    """Add a client and return its secret; with keys it has none."""

    def work(session: Session) -> str:
        new = clients.NewClient(
            name=registration.name,
            scopes=registration.scopes,
            connection_id=_connection(session, registration.connection),
            ceiling=registration.ceiling,
            roster_role=registration.roster_role,
            keys=registration.keys,
        )
        return clients.add_client(session, new)[1]

    with audited(context, registration.name, "clients/add"):
        _check_address(context, registration.keys)
        require_grantable(registration.scopes, context.registry)
        return context.database.unit_of_work(work)


def rotate_client(context: Context, name: str, keys: clients.Keys | None) -> str:
    """Give a client these keys, or a new secret, which is returned."""

    def work(session: Session) -> str:
        return clients.rotate_client(session, name, keys)[1]

    with audited(context, name, "clients/rotate"):
        _check_address(context, keys)
        return context.database.unit_of_work(work)


def _check_address(context: Context, keys: clients.Keys | None) -> None:
    """Raise InvalidError where no keys would be fetched from the address; it is not asked yet."""
    if keys is not None and keys.jwks_url is not None:
        context.server.fetcher.check(keys.jwks_url)


def disable_client(context: Context, name: str) -> None:
    """Refuse this client from now on."""
    now = context.clock()
    with audited(context, name, "clients/disable"):
        context.database.unit_of_work(lambda session: clients.disable_client(session, name, now))


def connection_names(session: Session) -> dict[UUID, str]:
    return dict(session.exec(select(Connection.id, Connection.name)).all())


def _connection(session: Session, name: str | None) -> UUID | None:
    if name is None:
        return None
    found = session.exec(select(Connection.id).where(Connection.name == name)).first()
    if found is None:
        raise NotFoundError(f"there is no connection named {name}", element="connection")
    return found


@contextmanager
def audited(
    context: Context, client: str | None, path: str, *, query: str | None = None
) -> Iterator[None]:
    """Write the row before anything is printed; a refusal has its row too."""
    entry = entry_of(context.clock, path, client=client, query=query)
    try:
        yield
    except AlongsideError:
        context.audit.write_now(entry._replace(status=403))
        raise
    context.audit.write_now(entry)


def entry_of(
    clock: Clock, path: str, *, client: str | None = None, query: str | None = None
) -> AuditEntry:
    """Return the audit row of what an operator does."""
    return AuditEntry(
        request_id=new_id().hex,
        at=microseconds(clock()),
        client=client,
        audience=None,
        address=_operator(),
        method="CLI",
        path=path,
        query=query,
        status=200,
    )


def _operator() -> str:
    try:
        return f"user {getpass.getuser()}"
    except (KeyError, OSError):  # a container's user without a name
        return "user unknown"
