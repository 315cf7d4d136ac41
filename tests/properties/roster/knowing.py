"""What questions are made of: what the reader has, what it must not have, and what is said of both.

All of it is taken from the full telling; the other one is asked the same.
"""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import orjson

from service.models.documents import PUBLIC
from tests.properties.roster.facts import READER
from tests.properties.roster.telling import Telling

T = TypeVar("T")
Json = dict[str, Any]

ADMINISTRATIVE = ("Organization", "Location", "HealthcareService", "Practitioner", "Questionnaire")
DOCUMENTS = (
    "SELECT id, coalesce(chosen_id, id), type, content, audience, version, deleted FROM documents"
    " WHERE audience <> :public OR type IN :some"
)
TERMS = {
    "document_tokens": "type, audience, param, system, code",
    "document_strings": "type, audience, param, original",
    "document_references": "type, audience, param, target_type, target",
    "document_dates": "type, audience, param, low",
}


@dataclass(frozen=True)
class Doc:
    """A document of either side, under the id by which its own clients know it."""

    type: str
    id: str
    version: int
    content: bytes = field(default=b"{}", repr=False)

    @property
    def resource(self) -> Json:
        found: Json = orjson.loads(self.content or b"{}")
        return found

    @property
    def path(self) -> str:
        return f"{self.type}/{self.id}"


@dataclass(frozen=True)
class Term:
    """A search parameter with a value that some document has."""

    type: str
    param: str
    value: str


@dataclass
class Known:
    own: list[Doc] = field(default_factory=list)
    hidden: list[Doc] = field(default_factory=list)
    terms: dict[str, list[Term]] = field(default_factory=dict)  # of own documents, by their type
    secrets: dict[str, list[Term]] = field(default_factory=dict)  # of hidden ones
    words: list[str] = field(default_factory=list)  # names, numbers and inner ids of the hidden
    # Links that were answered, in full and alone: to other clients, and to the reader's.
    links: list[tuple[str, str]] = field(default_factory=list)
    pages: list[tuple[str, str]] = field(default_factory=list)

    def of(self, *types: str) -> list[Doc]:
        return [doc for doc in self.own if doc.type in types]

    def hidden_of(self, *types: str) -> list[Doc]:
        return [doc for doc in self.hidden if doc.type in types]

    def doc(self, rng: random.Random, *types: str) -> Doc:
        """One of either side: of the reader's own in three of five."""
        own, hidden = self.own, self.hidden
        if types:
            own, hidden = self.of(*types), self.hidden_of(*types)
        sides = [side for side in (own, own, own, hidden, hidden) if side]
        if not sides:
            return Doc(types[0] if types else "Patient", f"{rng.getrandbits(128):032x}", 1)
        return rng.choice(rng.choice(sides))

    def term(self, rng: random.Random, kind: str | None = None) -> Term:
        """One of either side, of the type if it is given and there is one."""
        side = rng.choice((self.terms, self.terms, self.secrets)) or self.terms
        found = side.get(kind or "") or self.terms.get(kind or "") or self.secrets.get(kind or "")
        if kind is not None:
            return rng.choice(found) if found else Term(kind, "_id", "none")
        return rng.choice(side[rng.choice(sorted(side))])

    def patient(self, rng: random.Random) -> str:
        return self.doc(rng, "Patient").id


def known(full: Telling, before: Known | None = None) -> Known:
    """Look at the full telling, as only who has the database can."""
    mine = {full.things[READER].number, PUBLIC}
    found = Known()
    types = ", ".join(f"'{name}'" for name in ADMINISTRATIVE)
    statement = DOCUMENTS.replace(":some", f"({types})")
    for _, shown, kind, content, audience, version, deleted in full.rows(statement, public=PUBLIC):
        is_own = audience in mine and not deleted
        side = found.own if is_own else found.hidden
        side.append(Doc(kind, shown, version, bytes(content)))
    _terms(full, found, mine)
    found.words = _words(full)
    if before is not None:
        found.links, found.pages = before.links, before.pages
        there = {doc.path for doc in found.own} | {doc.path for doc in found.hidden}
        found.hidden += [doc for doc in before.own if doc.path not in there]
    found.own.sort(key=lambda doc: doc.path)
    found.hidden.sort(key=lambda doc: doc.path)
    return found


def _terms(full: Telling, found: Known, mine: set[int]) -> None:
    for table, columns in TERMS.items():
        statement = f"SELECT DISTINCT {columns} FROM {table} WHERE audience <> {PUBLIC}"
        for kind, audience, param, *values in sorted(full.rows(f"{statement} ORDER BY {columns}")):
            side = found.terms if audience in mine else found.secrets
            side.setdefault(kind, []).extend(
                Term(kind, param, value) for value in _values(table, values)
            )


def _values(table: str, values: list[Any]) -> list[str]:
    if table == "document_tokens":
        system, code = values
        return [f"{system}|{code}", str(code)]
    if table == "document_references":
        kind, target = values
        return [f"{kind}/{target}"] if kind else [str(target)]
    if table == "document_dates":
        return [_day(values[0])]
    return [str(values[0])]


def _day(low: int) -> str:
    moment = max(0, min(low, 4_000_000_000_000_000)) / 1_000_000
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")


def _words(full: Telling) -> list[str]:
    """Names, numbers and inner ids, of whom the reader must not know and of whom it does."""
    rows = [
        *full.rows("SELECT mrn, ehr_patient_id FROM links ORDER BY id"),
        *full.rows("SELECT family, given FROM patients ORDER BY id"),
        *full.rows("SELECT name, mrn_system FROM connections ORDER BY number"),
    ]
    inner = [thing.id.hex for thing in full.things.values() if hasattr(thing, "id")]
    return [str(value) for row in rows for value in row if value] + inner
