"""What each entry of a Bundle is answered, and the Bundle of the answers.

https://hl7.org/fhir/R4/bundle.html#transaction
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from http import HTTPStatus

import orjson

from service.fhir.carrying_out import Effect
from service.fhir.changes import Sender, Verb
from service.fhir.committing import answer, warning
from service.fhir.document_bytes import instant
from service.fhir.high_water import high_water


@dataclass(frozen=True, slots=True)
class EntryAnswer:
    """One entry's answer; version 0 stands for none, as of a Bundle."""

    status: int
    version: int = 0
    last_updated: int = 0
    location: str | None = None
    resource: bytes = b""
    outcome: bytes = b""
    patients: Collection[str] = ()


def of_effect(sender: Sender, effect: Effect, prefer: str) -> EntryAnswer:
    """Return what a write is answered; a warning comes whatever was preferred."""
    found = answer(sender, effect, prefer=prefer)
    patients = found.patients
    if effect.change.verb is Verb.DELETE:
        return EntryAnswer(204, effect.version, effect.last_updated, patients=patients)
    is_outcome = prefer == "OperationOutcome" or warning(sender, effect) is not None
    return EntryAnswer(
        found.status,
        found.version,
        found.last_updated,
        found.location,
        effect.content if prefer == "representation" else b"",
        found.body if is_outcome else b"",
        patients,
    )


def bundle_response(kind: str, answers: Iterable[EntryAnswer]) -> bytes:
    """Return the answer to a batch or transaction."""
    answered = list(answers)
    entries = b",".join(_entry(answer) for answer in answered)
    meta = high_water(answer.resource for answer in answered)
    label = meta + b"," if meta else b""
    start = b'{"resourceType":"Bundle",%b"type":"%b-response"' % (label, kind.encode())
    return start + (b',"entry":[%b]}' % entries if entries else b"}")


def _entry(found: EntryAnswer) -> bytes:
    said = {"status": f"{found.status} {HTTPStatus(found.status).phrase}"}
    if found.location:
        said["location"] = found.location
    if found.version:
        said["etag"] = f'W/"{found.version}"'
    if found.last_updated:
        said["lastModified"] = instant(found.last_updated)
    response = orjson.dumps(said)
    if found.outcome:
        response = response[:-1] + b',"outcome":' + found.outcome + b"}"
    resource = b'"resource":' + found.resource + b"," if found.resource else b""
    return b"{" + resource + b'"response":' + response + b"}"
