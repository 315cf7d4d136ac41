"""Patient/[id]/$break-the-glass, and its end: in an emergency, beyond the ceiling (ADR 0046).

https://hl7.org/fhir/R4/operations.html
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlmodel import Session

from service.access import Access
from service.clock import microseconds
from service.commands import BreakGlass, EndGlass
from service.errors import (
    BusinessRuleError,
    ForbiddenError,
    InvalidElementsError,
    InvalidError,
    MergedError,
    ValueSetError,
)
from service.fhir.document_bytes import instant
from service.fhir.endpoint import Answer, Endpoint, absent, require
from service.fhir.interactions.read import current
from service.fhir.operations.call import Call, Inputs, parameters
from service.fhir.operations.operation import BREAK_THE_GLASS, END_BREAK_THE_GLASS, Operation
from service.glass import break_glass, end_glass
from service.models.aggregates import patient_aggregate
from service.models.connections import Confidentiality
from service.models.glass import Emergency

T = TypeVar("T")
C = TypeVar("C", BreakGlass, EndGlass)

PATIENT = "Patient"
SHORTEST, LONGEST = 10, 1000
NO_PERSON = "break-the-glass is for people of a hospital: a token with user/ scopes"
NO_KEY = "break-the-glass is not set up here: reasons are kept encrypted, and there is no key"


def emergency(inputs: Inputs) -> str | None:
    """Return the purpose that was said, for the audit row of what is refused, too."""
    said = inputs.all("purpose")
    return said[0] if len(said) == 1 and said[0] in set(Emergency) else None


async def break_the_glass(call: Call) -> Answer:
    """Let the person see what is about the patient, for some minutes."""
    hospital, person = _person(call.access)
    _require_known(call, BREAK_THE_GLASS)
    breaking = call.endpoint.breaking
    if breaking is None or not breaking.cipher.has_key:
        raise BusinessRuleError(NO_KEY)
    purpose, reason = _purpose(call.inputs), _reason(call.inputs)
    patient, key = await look_up(call.endpoint, call.access, str(call.id))
    command = BreakGlass(
        patient_id=patient,
        connection_id=hospital,
        client_id=call.access.client_id,
        client=call.access.client,
        person=person,
        purpose=purpose,
        reason=breaking.cipher.encrypt(reason.encode()),
        lasts=breaking.lasts,
        notice=breaking.notice,
    )
    row = await _done(call, break_glass, command)
    answer = parameters(("until", "Instant", instant(microseconds(row.until))))
    return replace(answer, patients=(key,))


async def end_break_the_glass(call: Call) -> Answer:
    """End what the person has open about the patient; that there was nothing is no error."""
    _, person = _person(call.access)
    _require_known(call, END_BREAK_THE_GLASS)
    patient, key = await look_up(call.endpoint, call.access, str(call.id))
    command = EndGlass(patient_id=patient, person=person, client=call.access.client)
    ended = await _done(call, end_glass, command)
    return replace(parameters(("ended", "UnsignedInt", ended)), patients=(key,))


def _person(access: Access) -> tuple[UUID, str]:
    """Return the hospital and the person.

    Raises:
        ForbiddenError: it is a program by itself, or of the programme, or may not read.
    """
    if access.person is None or access.connection_id is None:
        raise ForbiddenError(NO_PERSON)
    require(access, PATIENT, "r")
    return access.connection_id, access.person


def _require_known(call: Call, operation: Operation) -> None:
    """Raise where something else was said, too: who is in a hurry should not be misunderstood."""
    if problems := call.inputs.unknown(operation.inputs):
        raise InvalidElementsError(problems)


def _purpose(inputs: Inputs) -> Emergency:
    said = inputs.needed("purpose")
    if said not in set(Emergency):
        raise ValueSetError("must be ETREAT or BTG, of v3-ActReason", element="purpose")
    return Emergency(said)


def _reason(inputs: Inputs) -> str:
    said = inputs.needed("reason").strip()
    if not SHORTEST <= len(said) <= LONGEST:
        raise InvalidError(f"must have {SHORTEST} to {LONGEST} characters", element="reason")
    return said


async def look_up(endpoint: Endpoint, access: Access, shown: str) -> tuple[UUID, str]:
    """Return the patient of a Patient that the hospital may have, with its key; label or no label.

    Raises:
        NotFoundError: there is none, or no link and consent gives it, or the scopes leave it out.
    """
    beyond = replace(access, ceiling=Confidentiality.VERY_RESTRICTED.rank)
    answer = await current(endpoint, beyond, PATIENT, shown)
    key = next(iter(answer.patients), None)
    if key is None:
        raise absent(PATIENT)
    return UUID(key), key


async def _done(call: Call, run: Callable[[Session, C, datetime], T], command: C) -> T:
    """Execute the command in a unit of work of its own, off the event loop."""
    database = call.endpoint.database

    def work() -> T:
        locked = patient_aggregate(command.patient_id)
        return database.unit_of_work(lambda s: run(s, command, database.clock()), locked)

    try:
        return await asyncio.to_thread(work)
    except MergedError:  # between two statements: whose it is now is found by asking again
        raise absent(PATIENT) from None
