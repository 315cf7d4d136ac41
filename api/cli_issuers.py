"""`alongside issuers`: authorization servers outside, whose access tokens are honoured here."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from api import bootstrap, operators
from service.errors import InvalidError, NotFoundError
from service.models.connections import Confidentiality
from service.models.issuers import Issuer
from service.models.purposes import Purpose
from service.settings import Settings
from service.smart.clients import NewClient
from service.smart.issuers import NewIssuer, all_issuers
from service.smart.keys import OUTSIDE
from service.smart.people import Vouching

issuers = typer.Typer(help="Issuers outside; what their tokens may do.", no_args_is_help=True)

LONGEST_SECRET = 1000


Scopes = Annotated[list[str], typer.Option("--scope", help="The most its tokens are good for.")]
Of = Annotated[str | None, typer.Option(help="A hospital's; else the programme's.")]
Ceiling = Annotated[Confidentiality, typer.Option()]
Roster = Annotated[bool, typer.Option(help="May read rosters.")]
ForPurpose = Annotated[Purpose, typer.Option(help="What it reads for; consents name it.")]
Audience = Annotated[
    str | None, typer.Option(help="What aud has; the FHIR endpoint where left out.")
]
Algorithms = Annotated[list[str] | None, typer.Option(help=f"Of {', '.join(OUTSIDE)}.")]
Keys = Annotated[str | None, typer.Option(help="Its tokens are JWTs: their keys.")]
Asked = Annotated[str | None, typer.Option(help="Or it is asked about each token, here.")]
Login = Annotated[str | None, typer.Option(help="The name that it is asked under.")]
Secret = Annotated[Path | None, typer.Option(help="A file with the secret that it is asked with.")]

People = Annotated[bool, typer.Option("--people", help="May vouch for people, by user/ scopes.")]
RoleClaim = Annotated[str | None, typer.Option(help="The claim with what somebody is there.")]
Roles = Annotated[list[str] | None, typer.Option(help="And its ceiling, as clinician=V.")]


@issuers.command("add")
def add_issuer(  # noqa: PLR0913 - a command has its options as arguments
    name: str,
    issuer: Annotated[str, typer.Option(help="What iss is in its tokens.")],
    scope: Scopes,
    *,
    connection: Of = None,
    ceiling: Ceiling = Confidentiality.RESTRICTED,
    roster: Roster = False,
    purpose: ForPurpose = Purpose.TREATMENT,
    audience: Audience = None,
    alg: Algorithms = None,
    jwks_url: Keys = None,
    introspection_url: Asked = None,
    login: Login = None,
    secret_file: Secret = None,
    people: People = False,
    role_claim: RoleClaim = None,
    role: Roles = None,
) -> None:
    """Honour the access tokens of an issuer, for as much as is said here."""
    client = NewClient(name=name, scopes=_words(scope), ceiling=ceiling, roster_role=roster)
    new = NewIssuer(
        client=replace(client, purpose=purpose), issuer=issuer, audience=audience,
        algorithms=tuple(alg or OUTSIDE), jwks_url=jwks_url, introspection_url=introspection_url,
        login=_login(login, secret_file), people=_vouching(role_claim, role or (), people=people),
    )  # fmt: skip
    operators.add_issuer(bootstrap.build(Settings()), new, connection)
    print(f"Tokens of {issuer} are honoured as {name}.")


@issuers.command("list")
def list_issuers() -> None:
    """List issuers, without the secrets that they are asked with."""
    context = bootstrap.build(Settings())
    named = ("name", "issuer", "by", "connection", "scopes", "ceiling", "purpose", "roster")
    table = Table(*named, "people", "disabled")
    names = context.database.read(operators.connection_names)
    for issuer, client in context.database.read(all_issuers):
        table.add_row(
            client.name,
            issuer.issuer,
            _by(issuer),
            names[client.connection_id] if client.connection_id else "(programme)",
            " ".join(client.scopes),
            client.ceiling.value,
            client.purpose.value,
            "yes" if client.roster_role else "",
            _people(issuer),
            f"{client.disabled_at:%Y-%m-%d}" if client.disabled_at else "",
        )
    Console().print(table)


@issuers.command("disable")
def disable_issuer(name: str) -> None:
    """Refuse an issuer's tokens from now on; `alongside clients enable` takes it back."""
    operators.disable_issuer(bootstrap.build(Settings()), name)
    print(f"{name} is disabled.")


def _words(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(" ".join(texts).split())


def _people(issuer: Issuer) -> str:
    roles = " ".join(f"{role}={ceiling}" for role, ceiling in sorted(issuer.roles.items()))
    return roles or ("yes" if issuer.people else "")


def _vouching(claim: str | None, roles: Iterable[str], *, people: bool) -> Vouching | None:
    if not (people or claim or roles):
        return None
    pairs = [each.partition("=") for each in roles]
    return Vouching(role_claim=claim, roles={role: ceiling for role, _, ceiling in pairs})


def _by(issuer: Issuer) -> str:
    return f"keys {issuer.jwks_url}" if issuer.jwks_url else f"asking {issuer.introspection_url}"


def _login(name: str | None, file: Path | None) -> tuple[str, str] | None:
    if name is None and file is None:
        return None
    if name is None or file is None:
        raise InvalidError("--login and --secret-file go together")
    try:
        secret = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as error:
        raise NotFoundError(f"{file} cannot be read") from error
    if not 0 < len(secret) <= LONGEST_SECRET:
        raise InvalidError(f"{file} holds no secret of at most {LONGEST_SECRET} characters")
    return name, secret
