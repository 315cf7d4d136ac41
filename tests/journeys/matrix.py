"""A world of two hospitals for the matrix of access, and who asks in it.

https://hl7.org/fhir/R4/http.html#summary
"""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, select

from api.bootstrap import publish_definitions
from fhir_mappings.registry import build_registry
from service.commands import CreateFacilitator, CreatePlace, WithdrawConsent
from service.fhir.search import PUBLIC_KINDS
from service.handlers import execute
from service.models.connections import AccessToken, Connection
from service.models.consents import Consent
from service.models.groups import Facilitation
from service.models.patients import Patient
from service.smart.clients import NewClient, add_client, disable_client
from service.smart.tokens import Grant, bearer, issue
from tests import sent, world
from tests.conftest import new_database
from tests.service_at import TOKEN_SECONDS, Caller, Service, serving

REGISTRY = build_registry()
TYPES = [kind.name for kind in REGISTRY.types]
PUBLIC_TYPES = {m.type for m in REGISTRY.mappings if m.kind in PUBLIC_KINDS}
PRIVATE = [name for name in TYPES if name not in PUBLIC_TYPES or name == "Organization"]
OPEN = [name for name in TYPES if name not in PRIVATE]
PEOPLE = [name for name in PRIVATE if name != "Organization"]  # labelled R or V
VERY_RESTRICTED = ["QuestionnaireResponse", "Flag"]
WRITABLE = [name for name in TYPES if REGISTRY.by_type[name].writable]
OF_CLIENTS = [one["resourceType"] for one in sent.about("x")]
SENT = {"Content-Type": "application/fhir+json"}
NOBODY = "0" * 32  # an id that nothing has
NOTHING = "?_tag=urn:none|none"  # what no resource here has
BAD = ("expired", "of another installation", "revoked", "of a disabled client")


@dataclass
class World:
    """`ids` are those of hospital A and B by type, and of what A had until a consent ended."""

    service: Service
    a: Connection
    everything: dict[str, Caller]
    ids: dict[tuple[str, str], str]
    callers: dict[tuple[str, ...], Caller]

    def caller(self, scope: str, **more: object) -> Caller:
        """A client of hospital A."""
        key = (scope, *map(str, more.items()))
        if key not in self.callers:
            name = f"client-{len(self.callers)}"
            self.callers[key] = self.service.caller(name, scope, self.a, **more)
        return self.callers[key]

    def programme(self, scope: str) -> Caller:
        """A client of the programme."""
        key = ("programme", scope)
        if key not in self.callers:
            name = f"client-{len(self.callers)}"
            self.callers[key] = self.service.caller(name, scope)
        return self.callers[key]

    def nobody(self, why: str) -> Caller:
        """A caller whose token is not good, as one of BAD says."""
        if (why,) not in self.callers:
            self.callers[why,] = Caller(self.service.http, bad_token(self.service, why))
        return self.callers[why,]

    def path(self, route: str, name: str, whose: str = "A") -> str:
        return route.format(type=name, id=self.ids[whose, name])


def bad_token(service: Service, why: str) -> str:
    """A token of who was let in once, or would be elsewhere."""
    if why == "of another installation":
        return secrets.token_urlsafe(32)

    def work(session: Session) -> str:
        name = f"bad-{why.replace(' ', '-')}"
        scopes = ("system/*.cruds", "v1.read", "v1.write")
        client, _ = add_client(session, NewClient(name=name, scopes=scopes))
        since = world.now() - timedelta(seconds=TOKEN_SECONDS if why == "expired" else 0)
        grant = Grant(scope=" ".join(scopes), seconds=TOKEN_SECONDS)
        token = issue(session, client, grant, since)
        session.flush()
        if why == "revoked":
            session.get_one(AccessToken, bearer(f"Bearer {token}")).revoked = True
        if why == "of a disabled client":
            disable_client(session, name, world.now())
        return token

    return service.database.unit_of_work(work)


@contextmanager
def two_hospitals(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[World]:
    """Two hospitals with a person each, both in one group; and one whom A may not see any more."""
    with ExitStack() as stack:
        url = new_database(kind, request, folder, stack)
        service = stack.enter_context(serving(url, folder))
        hospitals, gone = _tell(service)
        callers = {
            name: service.caller(f"all-{name.lower()}", "system/*.cruds", row)
            for name, row in hospitals.items()
        }
        for caller in callers.values():
            _send(caller)
        ids = {(who, name): _newest(callers[who], name) for who in callers for name in TYPES}
        yield World(service, hospitals["A"], callers, ids | gone, {})


def _tell(service: Service) -> tuple[dict[str, Connection], dict[tuple[str, str], str]]:
    database = service.database
    publish_definitions(database)
    hospitals = {name: world.hospital(database, name) for name in ("A", "B")}
    execute(database, CreatePlace(name="Library"))
    leader = CreateFacilitator(
        family="Lane", given="K", kind=Facilitation.PEER, name_is_public=True
    )
    circle = world.group(database, facilitator_id=execute(database, leader).id)
    held = world.session(database, circle)
    other = world.group(database)
    gone: dict[tuple[str, str], str] = {}
    for name in ("A", *hospitals):
        person = world.linked(database, hospitals[name])
        group, meeting = (circle, held) if gone else (other, world.session(database, other))
        world.enroll(database, person, group)
        world.attend(database, meeting, person)
        world.respond(database, person, world.phq9(1, item9=2))
        if not gone:
            gone = _withdrawn(service, hospitals[name], person)
    return hospitals, gone


def _withdrawn(
    service: Service, connection: Connection, person: Patient
) -> dict[tuple[str, str], str]:
    """Withdraw every consent; return the ids of what can be seen no more."""
    caller = service.caller("before", "system/*.rs", connection)
    about = [name for name in PEOPLE if name != "Group"]  # which others are in
    before = {name: _newest(caller, name) for name in about if _any(caller, name)}
    for given in service.database.read(lambda session: session.exec(select(Consent)).all()):
        if given.patient_id == person.id:
            command = WithdrawConsent(consent_id=given.id, withdrawn_by="tester")
            execute(service.database, command)
    return {
        ("withdrawn", name): found
        for name, found in before.items()
        if caller.get(f"/fhir/{name}/{found}").status_code == 404
    }


def _any(caller: Caller, name: str) -> bool:
    return bool(caller.get(f"/fhir/{name}?_summary=count").json()["total"])


def _send(caller: Caller) -> None:
    """Let a hospital send one of each type that only clients write."""
    patient = _newest(caller, "Patient")
    for body in sent.about(patient):
        made = caller("POST", f"/fhir/{body['resourceType']}", json=body, headers=SENT)
        assert made.status_code == 201, made.text


def _newest(caller: Caller, name: str) -> str:
    """The newest is the hospital's own, where a type is both public and private."""
    page = caller.get(f"/fhir/{name}?_sort=-_lastUpdated&_count=1").json()
    found: str = page["entry"][0]["resource"]["id"]
    return found
