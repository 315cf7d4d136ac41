"""Random worlds to search: documents of one caller, among those that it may not see.

Everything follows from a seed, so that a search which goes wrong can be tried again.
"""

import random
from dataclasses import dataclass, field
from uuid import UUID

from sqlmodel import Session

from service.fhir.document_bytes import meta
from service.fhir.documents import Target, Writer
from service.fhir.identity import chosen_source
from service.fhir.mapping import Audience, Draft, Labels, Registry
from service.fhir.search_index import index
from service.fhir.sent_references import Addresses
from service.models.connections import Confidentiality
from service.models.documents import PUBLIC
from service.models.purposes import EVERY_PURPOSE, Purpose
from tests.properties.search_elements import Elements, Json
from tests.properties.search_resources import MAKERS

BASE = "http://here/fhir"
ELSEWHERE = "http://elsewhere/fhir"
BEGIN = 1_750_000_000_000_000
DAY = 86_400_000_000
KEY = b"0" * 32
COUNTS = {
    "Patient": 6,
    "Organization": 4,
    "Practitioner": 3,
    "Location": 2,
    "Group": 2,
    "RelatedPerson": 3,
    "Encounter": 8,
    "Observation": 16,
    "Condition": 6,
    "CareTeam": 3,
    "Goal": 3,
    "ServiceRequest": 5,
    "Task": 5,
    "QuestionnaireResponse": 4,
    "Provenance": 5,
    "DocumentReference": 3,
}
# A caller for treatment may have what is kept for the first two.
PURPOSES = (EVERY_PURPOSE, Purpose.TREATMENT.bit, Purpose.PAYMENT.bit)
# Where a Patient stands that the document is about.
ABOUT = {"RelatedPerson": "patient", "Task": "for"}
NOBODY = {"Patient", "Organization", "Practitioner", "Location", "Group", "Provenance"}
SHOWN = {"Organization": "org", "Encounter": "enc", "Observation": "obs", "Task": "task"}


@dataclass
class Doc:
    """A document to be, with who may see it."""

    type: str
    source: str
    audience: Audience
    stored: str
    shown: str
    resource: Json = field(default_factory=dict)
    patient: UUID | None = None
    rank: str = "N"
    purposes: int = EVERY_PURPOSE
    deleted: bool = False
    stamp: int = BEGIN

    @property
    def key(self) -> tuple[str, str]:
        return self.type, self.shown


def planned(rng: random.Random, mine: Audience, other: Audience) -> list[Doc]:
    """The documents with their ids, empty yet; one in five is not for the caller."""
    found = []
    for name, count in COUNTS.items():
        for number in range(count):
            audience = rng.choices([mine, other], [9, 1])[0]
            if name in {"Organization", "Practitioner", "Location"} and number == 0:
                audience = mine.public
            key = UUID(int=rng.getrandbits(128))
            source = f"patient:{key.hex}" if name == "Patient" else f"sent:{key.hex}"
            chosen = f"{SHOWN[name]}-{number}.{rng.randrange(99)}" if name in SHOWN else ""
            if chosen and number % 2 and audience is mine:
                source = chosen_source(chosen)
            stored = audience.id(name, source)
            found.append(
                Doc(
                    name,
                    source,
                    audience,
                    stored,
                    chosen if source.startswith("chosen:") else stored,
                    patient=key if name == "Patient" else None,
                    rank=rng.choices("NRV", [10, 2, 1])[0],
                    purposes=rng.choices(PURPOSES, [6, 6, 1])[0],
                    deleted=rng.random() < 0.08,
                    stamp=BEGIN + rng.randrange(40) * DAY // 7,
                )
            )
    return found


class Author(Elements):
    """Fills documents with random content."""

    def __init__(self, rng: random.Random, docs: list[Doc]) -> None:
        super().__init__(rng)
        self.docs = docs
        self.public = False

    def fill(self) -> None:
        for doc in self.docs:
            self.public = doc.audience.number == PUBLIC
            doc.resource = {"resourceType": doc.type} | {
                name: value for name, value in MAKERS[doc.type](self) if value not in (None, [], {})
            }
            self.about(doc)

    def about(self, doc: Doc) -> None:
        if doc.type in NOBODY or self.rng.random() < 0.1:
            return
        patients = [d for d in self.docs if d.type == "Patient" and d.audience is doc.audience]
        name = ABOUT.get(doc.type, "subject")
        if not patients or (name == "subject" and self.rng.random() < 0.15):
            doc.resource[name] = self.reference("Group", "Location", of=doc)
            return
        patient = self.rng.choice(patients)
        doc.patient = patient.patient
        doc.resource[name] = self.rng.choice(
            [
                {"reference": f"Patient/{patient.shown}"},
                {"reference": f"Patient/{patient.shown}", "display": "Somebody"},
                {"identifier": self.identifier(), "type": "Patient"},
            ]
        )

    def reference(self, *types: str, of: Doc | None = None) -> Json:
        there = [d for d in self.docs if d.type in types]
        if self.public:  # what is public refers to nothing private
            there = [d for d in there if d.audience.number == PUBLIC]
        if not there:
            return {"display": "Nobody"}
        target = self.rng.choice(there)
        local = f"{target.type}/{target.shown}"
        text = self.one(local, local, local, f"{BASE}/{local}", f"{ELSEWHERE}/{local}")
        found: Json = {"reference": text}
        if self.rng.random() < 0.2:
            found["identifier"] = self.identifier()
        if of is None and self.rng.random() < 0.1:
            return {"identifier": self.identifier()}
        return found


def audience(number: int) -> Audience:
    return Audience(number=number, uid=hospital(number).hex, key=KEY)


def hospital(number: int) -> UUID:
    """The connection whose audience this is."""
    return UUID(int=number)


def world(seed: int) -> list[Doc]:
    """The documents of one seed; each seed has audiences of its own, and they share the public."""
    rng = random.Random(seed)
    docs = planned(rng, audience(100 + 2 * seed), audience(101 + 2 * seed))
    Author(rng, docs).fill()
    return docs


def write(session: Session, docs: list[Doc], registry: Registry, seed: int) -> None:
    """Write the documents, with index rows, as a client's are."""
    rng = random.Random(seed)
    for stamp in sorted({doc.stamp for doc in docs}):
        writer = Writer(session, stamp, registry.by_type)
        for doc in docs:
            if doc.stamp == stamp:
                writer.put(target(doc, registry, rng), None)
        writer.run()
    deleted = ", ".join(f"'{doc.stored}'" for doc in docs if doc.deleted)
    if deleted:  # their index rows stay, which the store would not leave
        session.connection().exec_driver_sql(
            f"UPDATE documents SET deleted = (1 = 1) WHERE id IN ({deleted})"
        )


def target(doc: Doc, registry: Registry, rng: random.Random) -> Target:
    said = Elements(rng).said()
    draft = Draft(
        doc.type,
        doc.source,
        doc.resource,
        Labels(Confidentiality(doc.rank)),
        patient_id=doc.patient,
        purposes=doc.purposes,
        meta=said,
        chosen_id=doc.shown if doc.shown != doc.stored else None,
    )
    about = doc.audience.id("Patient", f"patient:{doc.patient.hex}") if doc.patient else None
    rows = index(
        doc.resource,
        registry.by_type[doc.type],
        meta=meta(draft),
        subject=about,
        locate=Addresses(BASE, doc.audience).locate,
    )
    return Target(draft, doc.audience, doc.source, 1, rows)
