"""Everything the mappings can produce is well made, and refers to what its audience has."""

import itertools
import json
import re

import pytest

from fhir_mappings import labels
from fhir_mappings.resources import model_for
from fhir_mappings.structure import validate
from service.instruments import load_instruments
from service.models.consents import Category, Decision
from service.models.enrollments import AttendanceMark, EnrollmentStatus
from service.models.facts import Address
from service.models.groups import Facilitation, GroupStatus, Modality, Sensitivity, SessionStatus
from service.models.patients import Gender
from service.models.screening import AlertState, ResponseStatus
from service.safety.policy import PRIORITIES
from tests.fhir_mappings import fixed_facts as f

VIEWS = [
    f.OF_PROGRAMME,
    f.OF_NOTHING,
    *(f.view(category) for category in Category),
    f.OF_A,
    f.OF_NAMED_A,
    f.view(*Category, audience=f.B, part2=True, named=True),
]
NOBODY = f.RosterFacts(group=f.group(), members=())


def of_each(make, **choices):
    """Return `make` called with every combination of these choices."""
    return [
        make(**dict(zip(choices, chosen, strict=True)))
        for chosen in itertools.product(*choices.values())
    ]


def changed(facts, **choices):
    return of_each(lambda **more: type(facts)(**{**vars(facts), **more}), **choices)


def scored(**more):
    value = more.pop("given")
    answers = {} if value is None else {f"/{code}": value for code in f.ITEMS[: more.pop("count")]}
    more.pop("count", None)
    total = sum(answers.values()) if len(answers) == len(f.ITEMS) else None
    return f.response(answers=answers, total=total, **more)


def alert(state):
    return f.AlertFacts(id=f.ALERT.id, rule="r", state=state, raised_at=f.at(6))


EMPTY = {
    "phone": [f.PHONE, None, " "],
    "address": [f.HOME, Address(), Address(line=" ", city="Dover")],
}
RENDERED = {
    "programme": (changed(f.PROGRAMME_FACTS, **EMPTY), [f.OF_PUBLIC]),
    "facility": (changed(f.FACILITY, part_of_id=[None, f.PERSON], **EMPTY), [f.OF_A]),
    "place": (changed(f.PLACE, **EMPTY), [f.OF_PUBLIC]),
    "facilitator": (
        changed(
            f.FACILITATOR,
            kind=Facilitation,
            name_is_public=[True, False],
            active=[True, False],
            given=["Kim", " "],
        ),
        [f.OF_PUBLIC],
    ),
    "instrument": ([f.PHQ9, f.GAD7], [f.OF_PUBLIC]),
    "group": (
        of_each(
            f.group,
            facilitation=Facilitation,
            modality=Modality,
            status=GroupStatus,
            place_id=[None, f.PLACE.id],
            topic=["", "Grief"],
            purpose=["", "p"],
            eligibility=["", "e"],
        ),
        [f.OF_PUBLIC],
    ),
    "roster": (
        [NOBODY, *of_each(f.roster, sensitivity=Sensitivity, part2=[True, False])],
        [f.OF_A, f.OF_PROGRAMME],
    ),
    "patient": (
        [
            *of_each(f.patient, gender=Gender),
            f.bare_patient(),
            f.bare_patient(given=" "),
            f.patient(language=""),
        ],
        VIEWS,
    ),
    "enrollment": (
        of_each(
            f.enrollment,
            status=EnrollmentStatus,
            end=[None, f.at(9)],
            sensitivity=Sensitivity,
            part2=[True, False],
        ),
        VIEWS,
    ),
    "visit": (
        of_each(
            f.visit,
            mark=[None, *AttendanceMark],
            status=SessionStatus,
            cancel_reason=[None, "", "Snow"],
            arrived_at=[None, f.at(6, 18, 20), f.at(7)],
            place_id=[None, f.PLACE.id],
            group=[
                f.group(facilitator_id=None),
                f.group(modality=Modality.VIRTUAL, part2=True),
            ],
        ),
        VIEWS,
    ),
    "response": (
        [
            *of_each(
                scored,
                status=ResponseStatus,
                given=[None, 0, 2],
                count=[4, 9],
                alert=[None, *map(alert, AlertState)],
                part2=[True, False],
            ),
            *(scored(given=value, count=9) for value in range(4)),
            f.response(instrument="gad-7", answers={}, total=3),
            f.sent_response(),
            *of_each(f.sent_response, status=ResponseStatus, answers=[{}, {"/44250-9": 3}]),
        ],
        VIEWS,
    ),
    "alert": (
        of_each(
            f.safety,
            state=AlertState,
            priority=PRIORITIES,
            response_id=[None, f.safety().response_id],
            connection_id=[None, f.HOSPITAL_A, f.HOSPITAL_B],
            stepped_up_at=[None, f.at(6)],
            crisis_resources=[None, "Call 988."],
            part2=[True, False],
        ),
        VIEWS,
    ),
    "measurement": (
        [
            *of_each(f.measurement, sensitivity=Sensitivity, part2=[True, False]),
            *(f.measurement(f.occasion(instrument=name)) for name in load_instruments()),
        ],
        VIEWS,
    ),
    "consent": (
        of_each(
            f.consent,
            category=Category,
            decision=Decision,
            end=[None, f.at(30)],
            covers_part2=[True, False],
            shows_group_name=[True, False],
            withdrawn_at=[None, f.at(9)],
            connection_facility_id=[None, f.FACILITY.id],
        ),
        VIEWS,
    ),
}


def produced(kind):
    """Return each distinct document of this kind of source, by its text."""
    facts, views = RENDERED[kind]
    found = {}
    for each, view in itertools.product(facts, views):
        for draft in f.render(kind, each, view):
            document = f.document(draft, view.audience)
            found[json.dumps(document)] = document
    return found.values()


def test_every_kind_of_source_is_tried():
    definitions = {"definition"}  # test_definitions.py
    assert set(RENDERED) == set(f.REGISTRY.by_kind) - definitions


@pytest.mark.parametrize("kind", RENDERED)
def test_whatever_is_rendered_is_well_made(kind):
    documents = produced(kind)
    assert documents
    for document in documents:
        model_for(document["resourceType"]).model_validate(document)
        assert validate(document) == [], document


@pytest.mark.parametrize("kind", RENDERED)
def test_only_claimed_profiles_and_types_are_used(kind):
    for document in produced(kind):
        served = f.REGISTRY.by_type[document["resourceType"]]
        assert set(document["meta"].get("profile", ())) <= set(served.profiles)


WORLD = {
    "programme": f.PROGRAMME_FACTS,
    "facility": f.FACILITY,
    "place": f.PLACE,
    "facilitator": f.FACILITATOR,
    "group": f.group(),
    "roster": f.roster(),
    "patient": f.patient(),
    "enrollment": f.enrollment(),
    "visit": f.visit(),
    "response": f.response(),
    "alert": f.safety(),
    "measurement": f.measurement(),
    "consent": f.consent(),
}
SHARED = {"programme", "place", "facilitator", "group", "instrument"}


def world(view):
    """Return the documents of one audience, and the public ones, by reference."""
    found = {}
    for kind, facts in WORLD.items():
        labelled = labels.membership(facts.group) if kind == "roster" else None
        if labelled and not view.purposes(Category.ENROLLMENT, labelled):
            continue
        of = f.OF_PUBLIC if kind in SHARED else view
        for draft in f.render(kind, facts, of):
            document = f.document(draft, of.audience)
            found[f"{draft.type}/{document['id']}"] = document
    return found


@pytest.mark.parametrize("view", VIEWS[:-1])
def test_references_lead_to_documents_of_the_same_audience(view):
    documents = world(view)
    for document in documents.values():
        for reference in re.findall(r'"reference": "([^"]+)"', json.dumps(document)):
            assert reference in documents


def test_two_hospitals_share_no_id_save_public_ones():
    def ids(view):
        return set(re.findall(r"\b[0-9a-f]{32}\b", json.dumps(list(world(view).values()))))

    public = {
        f.document(draft, f.PUBLIC)["id"]
        for kind in SHARED & set(WORLD)
        for draft in f.render(kind, WORLD[kind], f.OF_PUBLIC)
    }
    service = f.document(f.one("Practitioner", "facilitator", f.FACILITATOR, f.OF_PUBLIC), f.PUBLIC)
    public.add(service["identifier"][0]["value"])
    other = f.view(*Category, audience=f.B, part2=True, named=True)
    assert ids(f.OF_NAMED_A) & ids(other) == public


def test_no_id_of_ours_is_shown():
    internal = {one.hex for one in (f.PERSON, f.ENROLLMENT, f.HOSPITAL_A, f.PLACE.id)}
    text = json.dumps([list(world(view).values()) for view in VIEWS])
    assert not any(one in text or one[:8] + "-" in text for one in internal)
