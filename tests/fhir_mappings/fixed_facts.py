"""One small world of facts and views, the same in every run, for the mappings' tests."""

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import count
from uuid import UUID

import orjson

from fhir_mappings.registry import build_registry
from service.disclosures import Declared, Disclosure
from service.fhir.documents import head, tail
from service.fhir.mapping import ALL, Audience, View
from service.models.connections import ConsentPolicy
from service.models.consents import Category, Decision, Purpose
from service.models.enrollments import AttendanceMark, EnrollmentStatus
from service.models.facts import (
    Address,
    AlertFacts,
    ConsentFacts,
    EnrollmentFacts,
    FacilitatorFacts,
    FacilityFacts,
    GroupFacts,
    InstrumentFacts,
    LinkFacts,
    MeasurementFacts,
    MemberFacts,
    OccasionFacts,
    PatientFacts,
    PlaceFacts,
    ProgrammeFacts,
    ResponseFacts,
    RosterFacts,
    SafetyFacts,
    StatusFacts,
    TellingFacts,
    VisitFacts,
)
from service.models.groups import Facilitation, GroupStatus, Modality, Sensitivity, SessionStatus
from service.models.measurement import OccasionState
from service.models.patients import Gender
from service.models.provisions import Provision
from service.models.screening import AlertState, ResponseStatus

REGISTRY = build_registry()
KEY = b"a key that only tests use"
STAMP = 1_767_608_100_000_000
_numbers = count(1)


def uid():
    return UUID(int=next(_numbers))


HOSPITAL_A, HOSPITAL_B = uid(), uid()
PUBLIC = Audience(0, "public", KEY)
PROGRAMME = Audience(1, "programme", KEY)
A = Audience(2, HOSPITAL_A.hex, KEY, HOSPITAL_A, "urn:mrn:a")
B = Audience(3, HOSPITAL_B.hex, KEY, HOSPITAL_B, "urn:mrn:b")
LINKS = (
    LinkFacts(connection_id=HOSPITAL_A, ehr_patient_id="ea", mrn="A-1", mrn_system="urn:mrn:a"),
    LinkFacts(connection_id=HOSPITAL_B, ehr_patient_id="eb", mrn="B-1", mrn_system="urn:mrn:b"),
)
OF_PUBLIC = View(PUBLIC)
OF_PROGRAMME = View(PROGRAMME, replace(ALL, links=LINKS))


def view(*categories, audience=A, part2=False, named=False):
    """A hospital that may have these categories."""
    own = tuple(link for link in LINKS if link.connection_id == audience.connection_id)
    permit = Provision(
        decision=Decision.PERMIT,
        categories=frozenset(categories),
        purposes=frozenset({Purpose.TREATMENT}),
        covers_part2=part2,
        shows_group_name=named,
    )
    consents = (Declared(provision=permit),) if categories else ()
    given = Disclosure(policy=ConsentPolicy.OPT_IN, consents=consents, now=at(1), links=own)
    return View(audience, given)


def at(day, hour=18, minute=0):
    return datetime(2026, 1, day, hour, minute, tzinfo=UTC)


OF_A = view(*Category)
OF_NAMED_A = view(*Category, part2=True, named=True)
OF_NOTHING = view()

HOME = Address(line="1 Elm St", city="Dover", state="DE", postal_code="19901", country="US")
PHONE = "302-555-0100"
RACE = {
    "url": "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race",
    "extension": [{"url": "text", "valueString": "White"}],
}


PROGRAMME_FACTS = ProgrammeFacts(id=uid(), name="Riverside Circles", phone=PHONE, address=HOME)
FACILITY = FacilityFacts(id=uid(), name="Hospital A", phone=PHONE, address=HOME, part_of_id=None)
PLACE = PlaceFacts(id=uid(), name="Library, room 2", phone=None, address=HOME)
FACILITATOR = FacilitatorFacts(
    id=uid(), family="Reed", given="Kim", kind=Facilitation.PEER, name_is_public=True, active=True
)
PHQ9 = InstrumentFacts(id=uid(), name="phq-9", version="1.0.0")
GAD7 = InstrumentFacts(id=uid(), name="gad-7", version="1.0.0")


def group(**more):
    values = {
        "id": UUID(int=100),
        "public_name": "Depression circle",
        "neutral_name": "Tuesday circle",
        "purpose": "Mutual support",
        "topic": "Depression and anxiety",
        "facilitation": Facilitation.PEER,
        "modality": Modality.IN_PERSON,
        "language": "en",
        "eligibility": "Adults",
        "capacity": 12,
        "sensitivity": Sensitivity.MENTAL_HEALTH,
        "part2": False,
        "status": GroupStatus.ACTIVE,
        "place_id": PLACE.id,
        "facilitator_id": FACILITATOR.id,
    }
    return GroupFacts(**{**values, **more})


PERSON = UUID(int=101)
ENROLLMENT = UUID(int=102)
OTHER = UUID(int=106)


def patient(**more):
    values = {
        "id": PERSON,
        "family": "Example",
        "given": "Ann",
        "gender": Gender.FEMALE,
        "birth_date": date(1980, 2, 3),
        "phone": PHONE,
        "email": "ann@example.org",
        "address": HOME,
        "language": "en",
        "extensions": (RACE,),
    }
    return PatientFacts(**{**values, **more})


def bare_patient(**more):
    return patient(
        birth_date=None, phone=None, email=None, address=Address(), language=None, extensions=(),
        **more,
    )  # fmt: skip


def roster(**more):
    member = MemberFacts(patient_id=PERSON, status=EnrollmentStatus.ACTIVE, start=at(1))
    return RosterFacts(group=group(**more), members=(member,))


def enrollment(status=EnrollmentStatus.ACTIVE, end=None, **more):
    history = (
        StatusFacts(status=EnrollmentStatus.PROPOSED, start=at(1), end=at(2)),
        StatusFacts(status=status, start=at(2), end=end),
    )
    return EnrollmentFacts(
        id=ENROLLMENT,
        patient_id=PERSON,
        status=status,
        start=at(2),
        end=end,
        history=history,
        group=group(**more),
    )


def offered(**more):
    """Somebody who waited, was offered a seat, did not answer, and waits again."""
    waited, offer = EnrollmentStatus.WAITLISTED, EnrollmentStatus.OFFERED
    history = (
        StatusFacts(status=EnrollmentStatus.PROPOSED, start=at(1), end=at(2)),
        StatusFacts(status=waited, start=at(2), end=at(3)),
        StatusFacts(status=offer, start=at(3), end=at(6)),
        StatusFacts(status=waited, start=at(6), end=at(7)),
        StatusFacts(status=offer, start=at(7), end=None),
    )
    return replace(enrollment(offer, **more), history=history)


def visit(mark=AttendanceMark.PRESENT, **more):
    values = {
        "session_id": UUID(int=103),
        "patient_id": PERSON,
        "enrollment_id": ENROLLMENT,
        "start": at(6),
        "end": at(6, 19, 30),
        "status": SessionStatus.HELD,
        "cancel_reason": None,
        "place_id": PLACE.id,
        "mark": mark,
        "arrived_at": at(6, 18, 20) if mark is AttendanceMark.LATE else None,
        "group": group(),
    }
    return VisitFacts(**{**values, **more})


ITEMS = (
    "44250-9", "44255-8", "44259-0", "44254-1", "44251-7",
    "44258-2", "44252-5", "44253-3", "44260-8",
)  # fmt: skip
ALERT = AlertFacts(id=uid(), rule="/44260-8", state=AlertState.OPEN, raised_at=at(6, 20))


def response(**more):
    values = {
        "id": UUID(int=104),
        "patient_id": PERSON,
        "connection_id": None,
        "instrument": "phq-9",
        "instrument_version": "1.0.0",
        "status": ResponseStatus.COMPLETED,
        "authored": at(6, 20),
        "answers": {f"/{code}": 1 for code in ITEMS},
        "total": 9,
        "scores": None,
        "missing": (),
        "received": None,
        "received_answers": None,
        "received_status": None,
        "sensitivity": Sensitivity.MENTAL_HEALTH,
        "part2": False,
        "alert": ALERT,
    }
    return ResponseFacts(**{**values, **more})


SENT = (
    b'{ "resourceType":"QuestionnaireResponse", "questionnaire":"http://loinc.org/q/44249-1",'
    b' "status": "completed", "subject":{"reference":"Patient/p"},'
    b' "identifier": {"system":"urn:form", "value":"f-1"},'
    b' "text":{"status":"generated","div":"<div xmlns=\\"http://www.w3.org/1999/xhtml\\">9</div>"},'
    b' "authored":"2026-01-06T15:00:00-05:00",'
    b' "item":[{"linkId":"14363","answer":[{"valueDecimal":1.00}]}]}'
)


TOLD = TellingFacts(id=UUID(int=107), at=at(6, 20), connection_id=None)
TOLD_B = TellingFacts(id=UUID(int=108), at=at(6, 21), connection_id=HOSPITAL_B)


def safety(**more):
    values = {
        "id": UUID(int=106),
        "patient_id": PERSON,
        "response_id": UUID(int=104),
        "connection_id": None,
        "tier": "red",
        "priority": "stat",
        "state": AlertState.NOTIFIED,
        "raised_at": at(6, 20),
        "acknowledged_at": None,
        "resolved_at": None,
        "stepped_up_at": at(6, 20),
        "crisis_resources": "Call or text 988.",
        "part2": False,
        "tellings": (TOLD, TOLD_B),
    }
    return SafetyFacts(**{**values, **more})


def occasion(state=OccasionState.DUE, number=0, **more):
    answered = state is OccasionState.ANSWERED
    values = {
        "instrument": "phq-9",
        "number": number,
        "begins": at(2 + number),
        "overdue_from": at(9 + number),
        "state": state,
        "response_id": UUID(int=104) if answered else None,
    }
    return OccasionFacts(**{**values, **more})


def measurement(*occasions, **more):
    """What an enrolment was asked for; in every state unless said otherwise."""
    every = [occasion(state, number) for number, state in enumerate(OccasionState)]
    return MeasurementFacts(
        id=ENROLLMENT, patient_id=PERSON, group=group(**more), occasions=occasions or tuple(every)
    )


def sent_response(**more):
    given = {"/44250-9": 1}
    values = {
        "connection_id": HOSPITAL_A,
        "answers": given,
        "total": None,
        "missing": ("/44255-8",),
        "received": SENT,
        "received_answers": given,
        "received_status": ResponseStatus.COMPLETED,
        "alert": None,
    }
    return response(**{**values, **more})


def consent(**more):
    values = {
        "id": UUID(int=105),
        "patient_id": PERSON,
        "connection_id": HOSPITAL_A,
        "connection_facility_id": FACILITY.id,
        "provision": provision(**{k: v for k, v in more.items() if k in RULE}),
        "created_at": at(1),
        "withdrawn_at": None,
    }
    return ConsentFacts(**{**values, **{k: v for k, v in more.items() if k not in RULE}})


RULE = {"category", *Provision.__dataclass_fields__}


def provision(category=Category.SCORES, **more):
    values = {
        "decision": Decision.PERMIT,
        "start": at(1),
        "end": at(31),
        "categories": frozenset({category}),
        "purposes": frozenset({Purpose.TREATMENT}),
        "covers_part2": False,
        "shows_group_name": False,
    }
    return Provision(**{**values, **more})


def render(kind, facts, of, type_=None):
    """Return the drafts that every mapping of this kind makes for a view."""
    return [
        draft
        for mapping in REGISTRY.by_kind[kind]
        if type_ in {None, mapping.type}
        for draft in mapping.render(facts, of)
    ]


def one(type_, kind, facts, of):
    """Return the only draft of this type."""
    (draft,) = render(kind, facts, of, type_)
    return draft


def types(kind, facts, of):
    return sorted({draft.type for draft in render(kind, facts, of)})


def document(draft, audience):
    """Return a draft as it is served."""
    own = audience.id(draft.type, draft.source)
    return orjson.loads(head(draft.type, own, 1, STAMP) + tail(draft))
