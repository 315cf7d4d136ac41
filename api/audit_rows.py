"""What an audit row says of a request, and what of it is encrypted (ADR 0037).

The row has the route; the address as it was asked, which may name a person, is in its detail.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

import orjson
from anyio import to_thread
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Scope

from api.metrics import NOWHERE, route_of
from service.access import Access
from service.acting import Act
from service.audit import AuditEntry
from service.audit.details import encrypted, key_of
from service.audit.pseudonyms import Known, Pseudonyms
from service.calendars import TOKEN
from service.models.purposes import named

SECRET_PARAMETER = re.compile(
    r"\b(access_token|token|client_secret|client_assertion|code_verifier)=[^&]*", re.IGNORECASE
)
CALENDAR = re.compile(r"(?<=/calendar/).+", re.IGNORECASE | re.DOTALL)
NAMED = re.compile(r"\{(type|member|operation)\}")
HIDDEN = "..."
LONGEST = 8000


class AuditRows:
    """Makes the rows of one application; `words` are what may stand in a route as it is."""

    def __init__(self, pseudonyms: Pseudonyms, key: bytes, words: Iterable[str]) -> None:
        self._pseudonyms = pseudonyms
        self._key = key
        self._words = frozenset(words)
        self._others: list[tuple[re.Pattern[str], str]] = []

    def know(self, routes: Iterable[BaseRoute]) -> None:
        """Know addresses by the routes that do not say, in the request, that they answer it."""
        plain = (each for each in routes if isinstance(each, Route | Mount) and each.path)
        self._others = [(each.path_regex, each.path) for each in plain]

    def act(self, scope: Scope) -> Act:
        """Return what is known of a request that is about to change something."""
        access: Access | None = scope["state"].get("access")
        return Act(
            request_id=scope["state"]["request_id"],
            client=_client(scope["state"], access),
            audience=access.audience if access else None,
            address=_address(scope),
            method=scope["method"],
            path=self._route(scope),
            person=access.person if access else None,
            purpose=_purpose(scope["state"], access),
        )

    async def row(self, scope: Scope, at: int, status: int) -> AuditEntry:
        """Return the row of a request that is about to be answered.

        Raises:
            BusyError: a patient has no key yet, and none could be made.
        """
        state, act = scope["state"], self.act(scope)
        known = state.get("known") or await self._known(state.get("patients"))
        return AuditEntry(
            request_id=act.request_id,
            at=at,
            client=act.client,
            audience=act.audience,
            address=act.address,
            method=act.method,
            path=act.path,
            query=None,
            status=status,
            patients=pseudonyms_of(known),
            caller_id=state["caller_id"],
            person=act.person,
            purpose=act.purpose,
            decision=state.get("decision"),
            detail=self._detail(scope, act, known),
        )

    async def _known(self, patients: Iterable[str] | None) -> dict[str, Known]:
        if not patients:
            return {}
        found = self._pseudonyms.known(patients)
        if found is not None:
            return found
        return await to_thread.run_sync(self._pseudonyms.learn, set(patients))

    def _detail(self, scope: Scope, act: Act, known: dict[str, Known]) -> str | None:
        path, query = _plain(redacted(scope["path"])), _query(scope)
        if path == act.path and query is None:
            return None
        key = key_of([each.key for each in known.values()]) if known else self._key
        return encrypted(key, act.request_id, path, query)

    def _route(self, scope: Scope) -> str:
        found = route_of(scope)
        if found == NOWHERE:
            path = scope["path"]
            return next((known for at, known in self._others if at.match(path)), NOWHERE)
        if "{" not in found:
            return found
        where: dict[str, Any] = scope.get("path_params", {})
        said = tuple(str(where.get(name)) for name in ("type", "member", "operation"))
        return _filled(found, *(each if each in self._words else None for each in said))


@lru_cache(maxsize=4096)
def _filled(route: str, kind: str | None, member: str | None, operation: str | None) -> str:
    words = {"type": kind, "member": member, "operation": operation}
    return NAMED.sub(lambda found: words[found[1]] or found[0], route)


def _purpose(state: dict[str, Any], access: Access | None) -> str | None:
    """Return for what it was asked: in an emergency, where the person said so of the patient."""
    if access is None:
        return None
    theirs = sorted(access.opened.keys() & set(state.get("patients") or ()))
    opened = access.opened[theirs[0]] if theirs else None
    return state.get("purpose") or opened or named(access.purpose)


def _client(state: dict[str, Any], access: Access | None) -> str | None:
    return access.client if access else state.get("client")


def _address(scope: Scope) -> str | None:
    client = scope.get("client")
    return client[0] if client else None


def _query(scope: Scope) -> str | None:
    raw: bytes = scope["state"].get("searched") or scope["query_string"]
    if not raw:
        return None
    text = raw.decode("latin-1")
    if "%" in text and (SECRET_PARAMETER.search(unquote(text)) or TOKEN.search(unquote(text))):
        text = unquote(text)  # a name can be spelt with escapes
    return _plain(SECRET_PARAMETER.sub(r"\1=...", redacted(text)))


def redacted(text: str) -> str:
    """Return an address without what opens a calendar, wherever in it that was put."""
    return TOKEN.sub(HIDDEN, CALENDAR.sub(HIDDEN, text))


def _plain(text: str) -> str:
    return text[:LONGEST].replace("\x00", "\ufffd")


def pseudonyms_of(known: Mapping[str, Known]) -> str | None:
    """Return what a row has for these people; None for nobody."""
    if not known:
        return None
    return orjson.dumps(sorted(each.pseudonym for each in known.values())).decode()
