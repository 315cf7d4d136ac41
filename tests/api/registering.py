"""Invitations and registrations, as tests ask for them."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from service.smart.invitations import NewInvitation, invite
from tests.api.served import Served

REGISTER = "/oauth/register"
SCOPES = "system/Patient.rs system/Observation.rs"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def invited(served: Served, scopes: str = SCOPES, of: UUID | None = None, **more: Any) -> str:
    """The token of a new invitation."""
    new = NewInvitation(
        scopes=tuple(scopes.split()),
        connection_id=of,
        **{"lasts": timedelta(hours=1), **more},
    )
    now = served.context.clock()
    return served.context.database.unit_of_work(lambda session: invite(session, new, now)[1])


def register(served: Served, token: str, **metadata: Any) -> Any:
    return served.client.post(REGISTER, json=metadata, headers=bearer(token))


def registered(served: Served, **metadata: Any) -> dict[str, Any]:
    answer = register(served, invited(served), **metadata)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def asked(served: Served, method: str, of: dict[str, Any], body: Any = None, **more: Any) -> Any:
    """Ask a registration about itself."""
    headers = bearer(more.get("token", of["registration_access_token"]))
    url = of["registration_client_uri"]
    return served.client.request(method, url, json=body, headers=headers)


def refused(answer: Any, error: str = "invalid_client_metadata", said: str = "") -> None:
    status = 401 if error == "invalid_token" else 400
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    assert said in answer.json()["error_description"]
    assert answer.headers["cache-control"] == "no-store"
