"""What an operator does to clients and tokens; each act leaves an audit row of method CLI."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from api import administration
from api.commanding import audited
from api.context import Context
from service.access import Scopes
from service.audit.details import installation_key
from service.audit.people import names_in_rows, with_merged
from service.audit.reading import Asked, Opened, opened, read
from service.commands import CreateConnection, CreateFacility
from service.connections import create_connection, create_facility
from service.errors import (
    ForbiddenError,
    NotFoundError,
    ValueSetError,
)
from service.models.aggregates import Aggregate
from service.models.connections import (
    Confidentiality,
    Connection,
    ConsentAuthority,
    Invitation,
)
from service.models.keys import SigningKey
from service.models.purposes import Purpose
from service.smart import clients, invitations, issuers, signing
from service.smart.issuers import NewIssuer
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
    purpose: Purpose = Purpose.TREATMENT
    privacy_officer: bool = False
    keys: clients.Keys | None = None
    certificate: str | None = None


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


def set_authority(context: Context, name: str, authority: ConsentAuthority) -> None:
    """Say whether the permits that this hospital sends count before they are confirmed."""
    found = connection_id(context, name)

    def work(session: Session) -> None:
        row = session.get(Connection, found)
        if row is not None and row.authority is not authority:
            row.authority = authority

    with audited(context, name, "connections/consents"):
        context.database.unit_of_work(work, CONNECTIONS)


def all_connections(session: Session) -> Sequence[Connection]:
    return session.exec(select(Connection).order_by(col(Connection.name))).all()


def add_client(context: Context, registration: Registration) -> str:
    """Add a client and return its secret; with keys it has none."""
    with audited(context, registration.name, "clients/add"):
        new = clients.NewClient(
            name=registration.name,
            scopes=registration.scopes,
            connection_id=connection_id(context, registration.connection),
            ceiling=registration.ceiling,
            roster_role=registration.roster_role,
            purpose=registration.purpose,
            privacy_officer=registration.privacy_officer,
            keys=registration.keys,
            certificate=registration.certificate,
        )
        return administration.add_client(context, context.database, new)[1]


def rotate_client(context: Context, name: str, keys: clients.Keys | None) -> str:
    """Give a client these keys, or a new secret, which is returned."""
    with audited(context, name, "clients/rotate"):
        return administration.rotate_client(context, context.database, name, keys)[1]


def invite(
    context: Context, new: invitations.NewInvitation, connection: str | None
) -> tuple[Invitation, str]:
    """Let one piece of software register itself; return the invitation with its token."""
    now = context.clock()
    with audited(context, connection, "clients/invite"):
        bound = replace(new, connection_id=connection_id(context, connection))
        require_grantable(bound.scopes, context.registry)
        return context.database.unit_of_work(
            lambda session: invitations.invite(session, bound, now)
        )


def withdraw_invitation(context: Context, invitation: UUID) -> None:
    """Let nobody use this invitation any more."""
    now = context.clock()
    with audited(context, None, "clients/withdraw"):
        context.database.unit_of_work(
            lambda session: invitations.withdraw(session, invitation, now)
        )


def disable_client(context: Context, name: str) -> None:
    """Refuse this client from now on."""
    with audited(context, name, "clients/disable"):
        administration.disable_client(context, context.database, name)


def bind_client(context: Context, name: str, certificate: str | None) -> None:
    """Have a client show this certificate from now on, or none."""
    with audited(context, name, "clients/bind"):
        context.database.unit_of_work(
            lambda session: clients.bind_client(session, name, certificate)
        )


def enable_client(context: Context, name: str) -> None:
    """Admit this client again."""
    with audited(context, name, "clients/enable"):
        administration.enable_client(context.database, name)


def add_issuer(context: Context, new: NewIssuer, connection: str | None) -> None:
    """Honour the tokens of an issuer from now on."""
    with audited(context, new.client.name, "issuers/add"):
        client = replace(new.client, connection_id=connection_id(context, connection))
        require_grantable(client.scopes, context.registry)
        for url in filter(None, (new.jwks_url, new.introspection_url)):
            context.server.fetcher.check(url)
        bound = replace(new, client=client)
        context.database.unit_of_work(
            lambda session: issuers.add_issuer(session, context.cipher, bound)
        )


def disable_issuer(context: Context, name: str) -> None:
    """Refuse the tokens of an issuer from now on."""
    now = context.clock()
    with audited(context, name, "issuers/disable"):
        context.database.unit_of_work(lambda session: issuers.disable_issuer(session, name, now))


def rotate_keys(context: Context, older_than: timedelta) -> list[SigningKey]:
    """Sign with new keys from now on; nothing is half done, whatever becomes of the process."""
    now = context.clock()
    with audited(context, None, "keys/rotate"):
        pairs = signing.new_pairs()
        return context.database.unit_of_work(
            lambda session: signing.rotate(
                session, context.cipher, pairs, now=now, older_than=older_than
            ),
            signing.KEYS,
        )


def connection_names(session: Session) -> dict[UUID, str]:
    return dict(session.exec(select(Connection.id, Connection.name)).all())


def connection_id(context: Context, name: str | None) -> UUID | None:
    """Return the id of the connection of this name; without a name it is the programme's."""
    if name is None:
        return None
    statement = select(Connection.id).where(Connection.name == name)
    found = context.database.read(lambda session: session.exec(statement).first())
    if found is None:
        raise NotFoundError(f"there is no connection named {name}", element="connection")
    return found


def audit_rows(context: Context, asked: Asked, patient: UUID | None, most: int) -> list[Opened]:
    """Return audit rows, opened, about this person where one is named."""
    if patient is not None:
        names = context.database.read(
            lambda session: names_in_rows(session, with_merged(session, patient))
        )
        asked = replace(asked, patients=names)
    rows = read(context.audit_reader.engine, asked, most)
    key = installation_key(context.key)
    return context.database.read(lambda session: opened(session, key, rows))
