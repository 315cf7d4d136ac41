"""$validate: what would be wrong with a resource, or with what is to be done with it.

Whatever is found, the answer is 200 with an OperationOutcome; nothing is written.
https://hl7.org/fhir/R4/resource-operation-validate.html
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson
from sqlmodel import Session

from service.errors import (
    ForbiddenError,
    InvalidElementsError,
    InvalidError,
    RequiredError,
)
from service.fhir.endpoint import Answer, Finding, served
from service.fhir.identity import caller_audience
from service.fhir.interactions.read import current, stored_id
from service.fhir.mapping import Owner, ResourceType
from service.fhir.operations.call import Call, Json
from service.fhir.outcome import issue, outcome
from service.fhir.search import limited
from service.fhir.sent_references import Addresses, known, local_places, require_known

MODES = {"create": "c", "update": "u", "delete": "d", "profile": "r"}
OWNER = (
    "SELECT d.owner FROM documents d WHERE d.id = ? AND d.audience IN (?, ?) AND d.type = ?"
    " AND NOT d.deleted AND d.confidentiality <= ? AND d.purposes & ? <> 0"
)
Issue = dict[str, Any]


async def validate(call: Call) -> Answer:
    """Return what was found; `information` where that is nothing."""
    kind = served(call.endpoint.registry, call.type)
    mode = call.inputs.one("mode")
    if mode is not None and mode not in MODES:
        raise InvalidError(f"must be one of {', '.join(MODES)}", element="mode")
    _require(call, mode)
    if call.strict and (unknown := call.inputs.unknown({"resource", "mode", "profile"})):
        raise InvalidElementsError(unknown)
    found = [*await _permitted(call, kind, mode)]
    patients: Sequence[str] = ()
    if mode != "delete":
        resource, patients = await _resource(call, mode)
        found += await asyncio.to_thread(lambda: list(_judged(call, resource, mode)))
    if not any(each["severity"] in {"fatal", "error"} for each in found):
        found.append(issue("information", "informational", "No error was found"))
    return Answer(200, orjson.dumps(outcome(*found)), patients=patients)


def _require(call: Call, mode: str | None) -> None:
    letters = MODES[mode] if mode else "cru"
    if not any(call.access.may(call.type, letter) for letter in letters):
        raise ForbiddenError(f"the token does not grant system/{call.type}.{letters[0]}")
    if mode in {"update", "delete"} and call.id is None:
        raise InvalidError(f"{mode} is judged on an instance: {call.type}/[id]", element="mode")
    if mode == "create" and call.id is not None:
        raise InvalidError("create is judged on the type", element="mode")
    if mode == "profile" and call.inputs.one("profile") is None:
        raise RequiredError("the profile must be named", element="profile")


async def _permitted(call: Call, kind: ResourceType, mode: str | None) -> list[Issue]:
    """Return why this caller could not do it, whatever the resource is."""
    if mode not in {"create", "update", "delete"}:
        return []
    if mode == "create":
        return [] if kind.writable else [_owned(call.type, Owner.PROGRAMME)]
    endpoint, access = call.endpoint, call.access
    stored = stored_id(endpoint, access, call.type, str(call.id))
    args = (stored, *access.audiences, call.type, *access.limits)
    limit = endpoint.limits(access, [call.type], MODES[mode])
    rows = await endpoint.reader.rows(*limited(OWNER, args, limit))
    if not rows:
        if mode == "update" and kind.owner is Owner.CLIENT:
            return []  # it would be created
        return [issue("error", "not-found", f"there is no {call.type} with this id")]
    owner = Owner(rows[0][0])
    allowed = owner is Owner.CLIENT or (owner is Owner.SHARED and mode == "update")
    return [] if allowed else [_owned(call.type, owner)]


def _owned(name: str, owner: Owner) -> Issue:
    text = f"the owner of this {name} is `{owner.value}`; a client may not do this"
    return issue("error", "forbidden", text)


async def _resource(call: Call, mode: str | None) -> tuple[Json, Sequence[str]]:
    """Return the resource that was sent, or the stored one where none was."""
    sent = call.inputs.parts.get("resource")
    if sent is not None:
        return sent, ()
    if call.id is None or mode == "update":
        raise RequiredError("the resource is required", element="resource")
    if not call.access.may(call.type, "r"):
        raise ForbiddenError(f"the token does not grant system/{call.type}.r")
    answer = await current(call.endpoint, call.access, call.type, call.id)
    return orjson.loads(answer.body), tuple(answer.patients)


def _judged(call: Call, resource: Json, mode: str | None) -> Iterator[Issue]:
    if resource.get("resourceType") != call.type:
        text = f"must be {call.type}, as the address says"
        yield issue("error", "invalid", text, expression="Resource.resourceType")
        return
    if mode == "update" and resource.get("id") != call.id:
        text = "must be the id of the address"
        yield issue("error", "invalid", text, expression=f"{call.type}.id")
    structure = list(call.writing.validate(resource))
    yield from _issues(structure)
    profile = call.inputs.one("profile")
    if profile is not None:
        yield from _issues(_of_profile(call, resource, profile))
    if not any(each.severity in {"fatal", "error"} for each in structure):
        yield from _references(call, resource)


def _of_profile(call: Call, resource: Json, profile: str) -> Sequence[Finding]:
    found = call.writing.validate_profile(resource, profile)
    if [each.code for each in found] == ["not-found"]:
        raise InvalidError("the profile is not one that is carried here", element="profile")
    return found


def _issues(findings: Iterable[Finding]) -> Iterator[Issue]:
    for each in findings:
        yield issue(each.severity, each.code, each.diagnostics, expression=each.expression)


def _references(call: Call, resource: Json) -> Iterator[Issue]:
    """Yield the references that lead to nothing that the caller can read."""
    endpoint = call.endpoint
    addresses = Addresses(endpoint.base, caller_audience(endpoint.key, call.access))

    def work(session: Session) -> None:
        places = local_places(resource, addresses)
        require_known(places, known(session, call.access, set(places.values())))

    try:
        endpoint.database.read(work)
    except InvalidElementsError as error:
        for each in error.problems:
            yield issue("error", each.code, each.rule, expression=each.element)
