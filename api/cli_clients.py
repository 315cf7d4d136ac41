"""`alongside clients`: who may call, and what each proves itself by."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from api import bootstrap, operators
from service.errors import InvalidError, NotFoundError
from service.models.connections import Client, Confidentiality
from service.models.purposes import Purpose
from service.settings import Settings
from service.smart.certificates import thumbprint
from service.smart.clients import Keys, all_clients
from service.smart.fetching import LARGEST
from service.smart.keys import ALGORITHMS, Algorithm

clients = typer.Typer(help="Software that may call this service.", no_args_is_help=True)


Jwks = Annotated[
    Path | None, typer.Option("--jwks", help="A file with its public keys, a JWK Set.")
]
JwksUrl = Annotated[
    str | None, typer.Option("--jwks-url", help="Where its JWK Set is fetched from.")
]
Algorithms = Annotated[
    list[Algorithm] | None, typer.Option("--alg", help="May be given more than once; else both.")
]

Certificate = Annotated[
    Path | None,
    typer.Option(help="A file with a certificate, in PEM, that it must show the proxy as well."),
]


Officer = Annotated[
    bool, typer.Option(help="May read audit events: its hospital's, or the programme all.")
]
ForPurpose = Annotated[Purpose, typer.Option(help="What it reads for; consents name it.")]


@clients.command("add")
def add_client(  # noqa: PLR0913 - a command has its options as arguments
    name: str,
    scope: Annotated[list[str], typer.Option(help="May be given more than once.")],
    *,
    connection: Annotated[
        str | None, typer.Option(help="A hospital's; else the programme's.")
    ] = None,
    ceiling: Annotated[Confidentiality, typer.Option()] = Confidentiality.RESTRICTED,
    roster: Annotated[bool, typer.Option(help="May read rosters.")] = False,
    purpose: ForPurpose = Purpose.TREATMENT,
    privacy_officer: Officer = False,
    jwks: Jwks = None,
    jwks_url: JwksUrl = None,
    alg: Algorithms = None,
    certificate: Certificate = None,
) -> None:
    """Add a client; print its secret, once. With keys it has no secret."""
    context = bootstrap.build(Settings())
    new = operators.Registration(
        name=name,
        scopes=tuple(word for each in scope for word in each.split()),
        connection=connection,
        ceiling=ceiling,
        roster_role=roster,
        purpose=purpose,
        privacy_officer=privacy_officer,
        keys=_keys(jwks, jwks_url, alg),
        certificate=_thumbprint(certificate),
    )
    print(operators.add_client(context, new) or f"{name} is added: it signs with its keys.")


@clients.command("rotate")
def rotate_client(
    name: str, *, jwks: Jwks = None, jwks_url: JwksUrl = None, alg: Algorithms = None
) -> None:
    """Give a client a new secret and print it, once; or new keys. The old ones end now."""
    keys = _keys(jwks, jwks_url, alg)
    secret = operators.rotate_client(bootstrap.build(Settings()), name, keys)
    print(secret or f"{name} signs with its new keys from now on.")


@clients.command("list")
def list_clients() -> None:
    """List clients, without their secrets."""
    context = bootstrap.build(Settings())
    named = Column("name", overflow="fold", min_width=27)  # to be typed again, so never cut
    table = Table(named, "connection", "scopes", "proof", "ceiling", "purpose", "may", "disabled")
    names = context.database.read(operators.connection_names)
    for each in context.database.read(all_clients):
        table.add_row(
            each.name,
            names[each.connection_id] if each.connection_id else "(programme)",
            " ".join(each.scopes),
            _proof(each),
            each.ceiling.value,
            each.purpose.value,
            _roles(each),
            f"{each.disabled_at:%Y-%m-%d}" if each.disabled_at else "",
        )
    Console().print(table)


def _roles(client: Client) -> str:
    roles = {"rosters": client.roster_role, "audit": client.privacy_officer}
    return ", ".join(name for name, has in roles.items() if has)


@clients.command("disable")
def disable_client(name: str) -> None:
    """Refuse a client from now on, with the tokens that it holds."""
    operators.disable_client(bootstrap.build(Settings()), name)
    print(f"{name} is disabled.")


@clients.command("bind")
def bind_client(name: str, *, certificate: Certificate = None) -> None:
    """Have a client show this certificate from now on; without one, none."""
    operators.bind_client(bootstrap.build(Settings()), name, _thumbprint(certificate))
    print(f"{name} shows {'this certificate' if certificate else 'no certificate'} from now on.")


@clients.command("enable")
def enable_client(name: str) -> None:
    """Admit a client again, by the proof that it had; it must ask for new tokens."""
    operators.enable_client(bootstrap.build(Settings()), name)
    print(f"{name} is enabled.")


def _proof(client: Client) -> str:
    """Return what the client proves itself by."""
    return f"{_own_proof(client)} and a certificate" if client.certificate else _own_proof(client)


def _own_proof(client: Client) -> str:
    if not client.has_keys:
        return client.proof.value
    algorithms = " ".join(client.algorithms or ALGORITHMS)
    return f"{algorithms} {client.jwks_url or 'keys'}"


def _keys(jwks: Path | None, url: str | None, alg: list[Algorithm] | None) -> Keys | None:
    if jwks is None and url is None:
        if alg:
            raise InvalidError("--alg takes --jwks or --jwks-url: a secret signs nothing")
        return None
    algorithms = tuple(each.value for each in alg or Algorithm)
    return Keys(jwks=_content(jwks) if jwks else None, jwks_url=url, algorithms=algorithms)


def _thumbprint(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        return thumbprint(_content(file))
    except ValueError as error:
        raise InvalidError(f"{file} holds no certificate in PEM") from error


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            found = file.read(LARGEST + 1)
    except OSError as error:
        raise NotFoundError(f"{path} cannot be read: {error.strerror}") from error
    if len(found) > LARGEST:
        raise InvalidError(f"{path} is longer than {LARGEST} bytes: is it a JWK Set?")
    return found
