"""Files to import, the imports themselves, and what a database holds afterwards."""

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlmodel import Session as DbSession
from sqlmodel import select

from fhir_mappings import structure
from fhir_mappings.patient import to_person
from service.database import Database
from service.fhir.endpoint import Writing
from service.fhir.submission import checked
from service.imports.patients import Taking
from service.imports.report import Report
from service.imports.resources import PATIENT, Resources
from service.imports.rows import Outcome, Rejection, Source
from service.imports.running import Import, Mode
from service.imports.tables import Kind, Table
from service.models.connections import Connection
from service.models.groups import SupportGroup
from service.models.imports import ImportKey
from tests import world

GROUP = {
    "public_name": "Depression circle",
    "neutral_name": "Tuesday circle",
    "purpose": "Mutual support",
    "topic": "depression",
    "facilitation": "peer",
    "modality": "in-person",
    "capacity": "12",
    "escalation_contact": "on-call 555-0100",
    "status": "active",
}
VALIDATING = Writing(
    validate=structure.validate,
    validate_profile=structure.validate_profile,
    to_command=lambda: None,
    to_correction=lambda: None,
    to_patient=lambda: None,
    to_provision=lambda: None,
    to_evidence=lambda: None,
    recognises=lambda _resource: False,
    crisis_text="",
)


@dataclass
class Found:
    """What an import said: its counts, and every rejection."""

    report: Report
    rejections: list[Rejection] = field(default_factory=list)

    def count(self, outcome: Outcome) -> int:
        return self.report.total.outcomes[outcome]

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Added, changed, known, rejected."""
        return (*(self.count(each) for each in Outcome), self.report.total.rejected)


def imported(database: Database, source: Source, mode: Mode = Mode.WHOLE) -> Found:
    found = Found(Report())
    found.report.write = found.rejections.append
    Import(database, source, "tester", found.report).run(mode)
    return found


def table(
    file: Path,
    kind: Kind,
    rows: Iterable[dict[str, str]],
    *,
    zone: tzinfo | None = None,
    delimiter: str = ",",
) -> Table:
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.DictWriter(opened, kind.header, restval="", delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return Table(file, kind, delimiter, zone)


def group_row(number: int, **more: str) -> dict[str, str]:
    names = {"public_name": f"Circle {number}", "neutral_name": f"Neutral {number}"}
    return {**GROUP, "key": f"g{number}", **names, **more}


def patient(number: int, system: str, **more: Any) -> dict[str, Any]:
    resource = {
        "resourceType": "Patient",
        "id": f"ehr-{number}",
        "identifier": [{"system": system, "value": f"MRN-{number}"}],
        "name": [{"family": f"Imported{number}", "given": ["Given"]}],
        "gender": "unknown",
        "birthDate": "1980-01-31",
        "address": [{"line": ["1 Elm Street"], "city": "Town", "postalCode": "12345"}],
    }
    return {**resource, **more}


def ndjson(file: Path, resources: Iterable[Any]) -> Path:
    lines = (each if isinstance(each, str) else json.dumps(each) for each in resources)
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return file


def patients(file: Path, connection: Connection, *, namesakes: bool = False) -> Resources:
    return Resources(
        file,
        check=lambda lexical: checked(VALIDATING, PATIENT, lexical),
        take=Taking(connection, to_person, namesakes=namesakes),
    )


@dataclass
class Place:
    """A hospital with linked people, and a group with a key, for rows that name them."""

    database: Database
    hospital: Connection
    group: SupportGroup

    def row(self, number: int, **more: str) -> dict[str, str]:
        """A row about the person with this number."""
        about = {"connection": self.hospital.name, "mrn": f"MRN-{number}", "group": "g"}
        return {**about, **more}


def place(database: Database, people: int, folder: Path, **group: Any) -> Place:
    hospital = world.hospital(database)
    file = folder / "people.ndjson"
    ndjson(file, (patient(number, hospital.mrn_system) for number in range(people)))
    imported(database, patients(file, hospital))
    row = world.group(database, **group)

    def remember(session: DbSession) -> None:
        session.add(ImportKey(kind="group", key="g", row_id=row.id))

    database.unit_of_work(remember)
    return Place(database, hospital, row)


def stored(database: Database) -> list[tuple[Any, ...]]:
    """Every current document, byte for byte, every version before it, and every event."""
    with database.engine.connect() as connection:
        return [
            tuple(row)
            for sql in (
                "SELECT id, version, last_updated, content, deleted FROM documents ORDER BY id",
                "SELECT id, version FROM document_versions ORDER BY id, version",
                "SELECT number, id, version FROM events ORDER BY number",
            )
            for row in connection.execute(text(sql))
        ]


def count(database: Database, name: str) -> int:
    with database.engine.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {name}")).scalar() or 0)


def rows(database: Database, model: Any) -> list[Any]:
    return database.read(lambda session: list(session.exec(select(model)).all()))
