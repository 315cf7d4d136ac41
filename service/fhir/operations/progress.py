"""Patient/[id]/$progress: scores over time, and what has changed by which rule.

It is made of documents that the caller may read and of nothing else: whatever the caller may not
know (that the person joined, or came, or answered) has no part in it, the choice of the baseline
included. From rows it takes only which questionnaire such a document is of, and which membership
was a guest's. The definition is this project's own.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import orjson

from service.errors import InvalidElementsError, ValueSetError
from service.fhir.endpoint import Answer, require
from service.fhir.identity import caller_audience
from service.fhir.operations.call import Call
from service.fhir.operations.everything import patient_of
from service.fhir.operations.everything_asked import unprefixed
from service.fhir.operations.operation import PROGRESS
from service.fhir.operations.progress_answer import Shown, answered
from service.fhir.search import VISIBLE, limited
from service.instruments import Instrument, ScoreKind, ScoreRule, by_canonical, instrument
from service.progress.memberships import index_date
from service.progress.series import Progress, Value
from service.progress.series import progress as progress_in

PATIENT, SCORE, MEMBER, VISIT = "Patient", "Observation", "EpisodeOfCare", "Encounter"
ABOUT = (
    "SELECT d.id, d.type, d.source, d.content FROM documents d"  # noqa: S608 - constants
    " WHERE d.audience = ? AND d.subject = ? AND d.type IN (TYPES) AND d.owner <> 'client'"
    f" AND {VISIBLE}"
)
FORMS = "SELECT id, instrument, instrument_version FROM responses WHERE id IN (IDS)"
GUESTS = "SELECT id FROM enrollments WHERE guest AND id IN (IDS)"
COUNTED = frozenset({"final", "amended"})
CHUNK = 400

Json = dict[str, Any]


class Seen(NamedTuple):
    """A document that the caller may read."""

    id: str
    type: str
    source: str
    content: bytes

    @property
    def key(self) -> str:
        return self.source.partition(":")[2]


async def progress(call: Call) -> Answer:
    """Return the scores that the caller may read, each over time."""
    require(call.access, PATIENT, "r")
    if call.strict and (unknown := call.inputs.unknown(PROGRESS.inputs)):
        raise InvalidElementsError(unknown)
    wanted, since = _wanted(call), call.inputs.one("since")
    after = None if since is None else unprefixed("since", since).low
    _, patient = await patient_of(call)
    seen = await _seen(call, patient.id)
    forms = await _forms(call, seen, wanted)
    guests = await _guests(call, seen)
    index = _index(call, (each for each in seen if each.key not in guests))
    shown = [Shown(found, ids) for found, ids in _progress(call, seen, forms, index)]
    visits = [orjson.loads(each.content) for each in seen if each.type == VISIT]
    ordered = sorted(visits, key=lambda visit: visit["period"]["start"])
    body = answered(shown, ordered, after, _used(seen, shown))
    key = patient.patient_key
    return Answer(200, body, patients=(key,) if key else ())


def _used(seen: Iterable[Seen], shown: Iterable[Shown]) -> Iterator[bytes]:
    """Yield what the answer is made of: single answers are in the same type, and no part of it."""
    scores = {document for each in shown for document in each.ids.values()}
    return (each.content for each in seen if each.type != SCORE or each.id in scores)


def _wanted(call: Call) -> Instrument | None:
    named = call.inputs.one("questionnaire")
    found = None if named is None else by_canonical(named)
    if named is not None and found is None:
        raise ValueSetError("no such questionnaire is scored here", element="questionnaire")
    return found


async def _seen(call: Call, patient: str) -> list[Seen]:
    """Return the documents that progress is made of, of the types that the token may read."""
    access = call.access
    types = [name for name in (SCORE, MEMBER, VISIT) if access.may(name, "r")]
    if not types:
        return []
    sql = ABOUT.replace("TYPES", ", ".join("?" * len(types)))
    args = (access.audience, patient, *types, *access.limits)
    rows = await call.endpoint.reader.rows(
        *limited(sql, args, call.endpoint.limits(access, types, "r"))
    )
    return [Seen(*row) for row in rows]


async def _forms(
    call: Call, seen: Iterable[Seen], wanted: Instrument | None
) -> dict[str, tuple[str, str]]:
    """Return the questionnaire and version of each response whose scores may be read."""
    keys = sorted({each.key for each in seen if each.type == SCORE})
    rows = await _rows(call, FORMS, keys)
    return {
        _hex(key): (name, version)
        for key, name, version in rows
        if wanted is None or name == wanted.id
    }


async def _guests(call: Call, seen: Iterable[Seen]) -> set[str]:
    keys = sorted({each.key for each in seen if each.type == MEMBER})
    return {_hex(key) for (key,) in await _rows(call, GUESTS, keys)}


async def _rows(call: Call, sql: str, keys: list[str]) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    for start in range(0, len(keys), CHUNK):
        part = keys[start : start + CHUNK]
        marked = sql.replace("IDS", ", ".join("?" * len(part)))
        found += await call.endpoint.reader.rows(marked, tuple(part))
    return found


def _hex(key: Any) -> str:  # noqa: ANN401 - a UUID, or its text
    return str(key).replace("-", "")


def _index(call: Call, seen: Iterable[Seen]) -> datetime | None:
    """Return when the person joined, as far as the caller may know."""
    periods = []
    for each in seen:
        if each.type == MEMBER:
            said = orjson.loads(each.content)
            if any(one["status"] == "active" for one in said.get("statusHistory", ())):
                end = said["period"].get("end")
                start = datetime.fromisoformat(said["period"]["start"])
                periods.append((start, datetime.fromisoformat(end) if end else None))
    return index_date(periods, call.endpoint.clock())


def _progress(
    call: Call,
    seen: Iterable[Seen],
    forms: dict[str, tuple[str, str]],
    index: datetime | None,
) -> Iterator[tuple[Progress, dict[str, str]]]:
    """Yield each score that has a document, with the ids of its documents by response."""
    documents = {each.id: orjson.loads(each.content) for each in seen if each.type == SCORE}
    for name in sorted({name for name, _ in forms.values()}):
        form = instrument(name)
        for score in form.reported_scores:
            values, ids = [], {}
            for key, (own, version) in forms.items():
                if own != name or score.id not in instrument(own, version).by_score:
                    continue
                found = _document(call, documents, key, instrument(own, version), score)
                if found is not None and found["status"] in COUNTED:
                    ids[key] = found["id"]
                    values.append(_value(key, score, found))
            if values:
                yield progress_in(form, score, values, index), ids


def _document(
    call: Call, documents: dict[str, Json], key: str, form: Instrument, score: ScoreRule
) -> Json | None:
    """Return the Observation of this score, by the id that it was given (ADR 0003)."""
    source = f"response:{key}"
    own = source if score.id == form.primary.id else f"{source}/{score.id}"
    return documents.get(caller_audience(call.endpoint.key, call.access).id(SCORE, own))


def _value(key: str, score: ScoreRule, found: Json) -> Value:
    at = datetime.fromisoformat(found["effectiveDateTime"])
    if score.kind is ScoreKind.CATEGORY:
        said = found.get("valueCodeableConcept", {}).get("text")
        ranks = (each.rank for each in score.categories if each.label == said)
        rank = next(ranks, None)
        return Value(at=at, key=key, value=None if rank is None else Decimal(rank))
    number = found.get("valueQuantity", {}).get("value")
    return Value(at=at, key=key, value=None if number is None else Decimal(str(number)))
