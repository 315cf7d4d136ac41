"""A person of whom every table has something, and another in the same group."""

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from service.commands import (
    AddDisagreement,
    AmendConsent,
    AskCorrection,
    CorrectResponse,
    CreateContact,
    DecideCorrection,
    MeasurementPlan,
    MergePatients,
    PublishRules,
    RecordAgreement,
    WithdrawConsent,
)
from service.database import Database
from service.handlers import execute
from service.imports.finding import remember
from service.models.connections import Connection
from service.models.consents import Category
from service.models.enrollments import AttendanceMark
from service.models.evidence import VerbalConsent
from service.models.groups import Session, SupportGroup
from service.models.patients import Patient, SentPatient
from service.models.provisions import Decision, Label, Provision
from service.models.rules import AgreementMethod
from service.models.safety import Channel, ContactRole
from service.models.screening import ResponseStatus
from service.subjects.retention import CountedFrom, Rule
from tests import world

FAMILY, GIVEN, OTHER = "Zanzibarquince", "Oudenaardeplum", "Quincezanzibar"
PHONE, LINE, EMAIL = "+1-555-0199-9931", "77 Kumquatcanary Lane", "quincecanary@example.org"
KEY, SAID, SENT = "roster-key-canary-1", "addresscanary is wrong", "sentcanary"
REASON, WITNESS, HEARD = "mergecanary reason", "witnesscanary", "heardcanary"
CANARIES = (FAMILY, GIVEN, OTHER, PHONE, LINE, EMAIL, KEY, SAID, SENT, REASON, WITNESS, HEARD)
NOBODY_KEEPS = (
    Rule(
        jurisdiction=None,
        kinds=frozenset("*"),
        years=0,
        counted_from=CountedFrom.LAST_CONTACT,
        source="the programme's own decision",
    ),
)


@dataclass
class Scene:
    database: Database
    a: Connection
    b: Connection
    group: SupportGroup
    held: Session
    person: Patient
    retired: Patient
    other: Patient

    def run(self, command: Any) -> Any:
        return execute(self.database, command)


def scene(database: Database) -> Scene:
    a, b = world.hospital(database, "A"), world.hospital(database, "B")
    weekly = MeasurementPlan(instrument="phq-9", every_weeks=1)
    group = world.group(database, capacity=2, measurement=(weekly,))
    held = world.session(database, group)
    person = world.patient(
        database, family=FAMILY, given=GIVEN, phone=PHONE, line=LINE, email=EMAIL,
        birth_date=date(1988, 4, 17),
    )  # fmt: skip
    other = world.linked(database, a)
    retired = world.patient(database, family=OTHER, given=GIVEN)
    for each in (a, b):
        world.link(database, person, each)
    consents = world.consent(database, person, a)
    execute(database, WithdrawConsent(consent_id=consents[Category.ALERTS].id, withdrawn_by="t"))
    here = Scene(database, a, b, group, held, person, retired, other)
    here.run(
        CreateContact(
            name="Sam", role=ContactRole.ON_CALL, channel=Channel.EMAIL, address="sam@x.example"
        )
    )
    _amend(here, consents[Category.ANSWERS].id)
    _live(here)
    _ask(here)
    merge = MergePatients(source_id=retired.id, target_id=person.id, merged_by="t", reason=REASON)
    here.run(merge)
    return here


def _amend(here: Scene, consent_id: UUID) -> None:
    """Say a consent anew, twice: what it said first is evidence by the second time."""
    exception = Provision(
        decision=Decision.DENY, categories=frozenset({Category.ANSWERS}),
        labels=frozenset({Label.PART_2}),
    )  # fmt: skip
    for number in (1, 2):
        here.run(
            AmendConsent(
                consent_id=consent_id, category=Category.ANSWERS, amended_by="t",
                provisions=(exception,),
                evidence=VerbalConsent(witness=f"{HEARD} {number}", given_on=date(2026, 1, 5)),
            )
        )  # fmt: skip


def _live(here: Scene) -> None:
    database, person, group = here.database, here.person, here.group
    for each in (person, here.other):
        world.enroll(database, each, group)
    world.attend(database, here.held, person, here.other)
    world.attend(database, here.held, person, mark=AttendanceMark.ABSENT)
    recorded = world.respond(database, person, world.phq9(2, item9=1), group_id=group.id)
    here.run(
        CorrectResponse(
            response_id=recorded.response.id,
            answers=world.phq9(3, item9=1),
            status=ResponseStatus.AMENDED,
            corrected_by="t",
        )
    )
    world.respond(database, here.retired)
    rules = here.run(PublishRules(text="Be kind", published_by="t"))
    here.run(
        RecordAgreement(
            rules_id=rules.id, patient_id=person.id, method=AgreementMethod.VERBAL,
            witness=WITNESS, recorded_by="t",
        )
    )  # fmt: skip

    def work(session: Any) -> None:
        remember(session, "patients", KEY, person.id)

    database.unit_of_work(work)
    _sent(here)


def _sent(here: Scene) -> None:
    """What the hospital sent of the person, byte for byte."""
    content = json.dumps({"resourceType": "Patient", "name": [{"family": SENT}]}).encode()

    def work(session: Any) -> None:
        session.add(
            SentPatient(patient_id=here.person.id, connection_id=here.a.id, received=content)
        )

    here.database.unit_of_work(work)


def _ask(here: Scene) -> None:
    row = here.run(AskCorrection(patient_id=here.person.id, about=SAID, asked_by="the person"))
    refused = DecideCorrection(
        correction_id=row.id, accepted=False, decision="It is right", decided_by="t"
    )
    here.run(refused)
    here.run(AddDisagreement(correction_id=row.id, statement=SAID))


def cells(database: Database) -> Iterator[tuple[str, bytes]]:
    """Every value of every table, as bytes, with where it stands."""
    with database.engine.connect() as connection:
        tables = (
            "SELECT name FROM sqlite_master WHERE type = 'table'"
            if database.sqlite
            else "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
        )
        for (table,) in connection.exec_driver_sql(tables).all():
            found = connection.exec_driver_sql(f'SELECT * FROM "{table}"')
            names = list(found.keys())
            for row in found:
                for name, value in zip(names, row, strict=True):
                    yield f"{table}.{name}", as_bytes(value)


def as_bytes(value: Any) -> bytes:
    if isinstance(value, memoryview):
        value = bytes(value)
    if isinstance(value, bytes):
        try:
            return zlib.decompress(value)
        except zlib.error:
            return value
    return (json.dumps(value) if isinstance(value, dict | list) else str(value)).encode()


def holding(database: Database, words: tuple[str, ...]) -> set[str]:
    """Where any of these words stands in the database."""
    return {place for place, value in cells(database) for word in words if word.encode() in value}
