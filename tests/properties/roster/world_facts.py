"""How a random world begins: hospitals, groups, people, what they permit, do and answer.

Each function adds facts of one kind to the plan; `BEGINNING` is the list of them. A new kind of
fact is a function here or in `later_facts`, put into the list.
"""

from datetime import datetime, timedelta
from typing import Any

from service.commands import (
    CreateConnection,
    CreateFacilitator,
    CreateFacility,
    CreateGroup,
    CreatePatient,
    CreatePlace,
    CreateSession,
    Enroll,
    LinkPatient,
    Mark,
    RecordAttendance,
    RecordConsent,
    RecordResponse,
    RecordWalkIn,
    UpdateSession,
)
from service.models.connections import ConsentPolicy
from service.models.consents import Category, Decision
from service.models.enrollments import AttendanceMark, EnrollmentStatus
from service.models.groups import (
    Facilitation,
    GroupStatus,
    Modality,
    Promotion,
    Sensitivity,
    SessionStatus,
)
from service.models.patients import Gender
from service.models.screening import ResponseStatus
from tests.properties.roster.facts import (
    BEGIN,
    NUMBERS,
    OTHERS,
    READER,
    WEEK,
    Chance,
    Person,
    Plan,
    at,
)
from tests.world import phq9

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# Between the questions that are asked first and those that are asked later.
BETWEEN = at(6 * NUMBERS) - HOUR
POLICIES = (ConsentPolicy.OPT_IN, ConsentPolicy.OPT_IN, ConsentPolicy.TREATMENT)
BEGINS = (
    *[EnrollmentStatus.ACTIVE] * 5,
    EnrollmentStatus.WAITLISTED,
    EnrollmentStatus.PROPOSED,
)
ASKED = tuple(each for each in Category if each is not Category.SUMMARY)
CAME = (AttendanceMark.PRESENT, AttendanceMark.LATE)
FAMILIES = ("Rivera", "Okafor", "Lind", "Rivera-Lind")
GAD7 = tuple(
    f"/{code}"
    for code in ("69725-0", "68509-9", "69733-4", "69734-2", "69735-9", "69689-8", "69736-7")
)


def hospitals(plan: Plan, chance: Chance) -> None:
    for name in (READER, *OTHERS[: chance.number(1, len(OTHERS))]):
        plan.policies[name] = chance.one(POLICIES)
        command = CreateConnection(
            name=f"Hospital {name}", mrn_system=f"urn:mrn:{name}", policy=plan.policies[name]
        )
        plan.add(name, 0, lambda _t, c=command: c, hospitals=[name])
        plan.add(f"facility {name}", 0, facility(name), hospitals=[name])


def facility(name: str) -> Any:
    return lambda told: CreateFacility(connection_id=told.id(name), name=f"Clinic {name}")


def catalogue(plan: Plan, chance: Chance) -> None:
    leader = CreateFacilitator(
        family="Peer", given="Pat", kind=Facilitation.PEER, name_is_public=chance.happens(60)
    )
    plan.add("place", 0, lambda _told: CreatePlace(name="Community hall"))
    plan.add("facilitator", 0, lambda _told: leader)
    for number in range(chance.number(1, 3)):
        name = f"group {number}"
        plan.groups[name] = []
        use = chance.happens(30)
        values = {
            "public_name": f"The {name} for {'recovery' if use else 'mood'}",
            "neutral_name": f"Circle {chance.number(1, 2)}",
            "topic": "recovery" if use else "mood",
            "sensitivity": Sensitivity.SUBSTANCE_USE if use else Sensitivity.MENTAL_HEALTH,
            "modality": chance.one(list(Modality)),
        }
        plan.add(name, 0, group(name, values))


def group(name: str, values: dict[str, Any]) -> Any:
    """A group that is full in the end; who waits has to be asked in by hand."""
    return lambda told: CreateGroup(
        purpose="Mutual support",
        facilitation=Facilitation.PEER,
        capacity=max(told.plan.seats.get(name, 0), 1),
        promotion=Promotion.MANUAL,
        escalation_contact="on-call 555-0100",
        status=GroupStatus.ACTIVE,
        place_id=told.id("place"),
        facilitator_id=told.id("facilitator"),
        **values,
    )


def people(plan: Plan, chance: Chance) -> None:
    """Each known to no, one or two hospitals; some only later, some without being asked."""
    there = list(plan.policies)
    for number in range(chance.number(3, 6)):
        name = f"p{number}"
        person = plan.people[name] = Person(name)
        command = CreatePatient(
            family=chance.one(FAMILIES),
            given=f"Given{chance.number(0, 2)}",
            gender=chance.one(list(Gender)),
            phone=f"555-010{chance.number(0, 3)}",
            city="Springfield",
        )
        plan.add(name, 1, lambda _t, c=command: c, people=[name])
        for hospital in whose(chance, there):
            link(plan, person, hospital, chance.one([1, 1, 1, 1, 6]))


def whose(chance: Chance, there: list[str]) -> list[str]:
    """The reader's more often than not, since its answers are compared."""
    others = there[1:]
    kinds = [[READER], [READER, *others[:1]], others[:1], [READER], [READER, others[-1]], []]
    return sorted(set(chance.one(kinds)))


def link(plan: Plan, person: Person, hospital: str, moment: int) -> None:
    name, number = person.name, len(plan.facts)
    person.links[hospital] = moment
    plan.add(
        f"link {name} {hospital}",
        moment,
        lambda told: LinkPatient(
            patient_id=told.id(name),
            connection_id=told.id(hospital),
            ehr_patient_id=f"{hospital}-{name}-{number}",
            mrn=f"MRN-{name}-{number}",
            confirmed_by="tester",
        ),
        [name],
        [hospital],
    )


def consents(plan: Plan, chance: Chance) -> None:
    for person in plan.people.values():
        for hospital, moment in person.links.items():
            if not chance.happens(90):
                continue
            for category in chance.some(ASKED, 75):
                consent(plan, chance, person, hospital, category, moment)


def consent(
    plan: Plan, chance: Chance, person: Person, hospital: str, category: Category, moment: int
) -> None:
    decision = chance.one([Decision.PERMIT] * 7 + [Decision.DENY])
    said = {
        "category": category,
        "decision": decision,
        "covers_part2": chance.happens(50),
        "shows_group_name": chance.happens(30),
        "start": chance.one([BEGIN, BEGIN, BEGIN, BETWEEN]),
        "end": chance.one([None, None, None, None, BEGIN + 10 * WEEK, BETWEEN + DAY]),
    }
    if said["end"] == BEGIN + 10 * WEEK:
        said["start"] = BEGIN
    name = f"consent {person.name} {hospital} {len(plan.facts)}"
    person.decided[hospital] = min(moment, person.decided.get(hospital, moment))
    person.consents.append((name, hospital, moment))
    plan.add(name, moment, _consent(person.name, hospital, said), [person.name], [hospital])


def _consent(name: str, hospital: str, said: dict[str, Any]) -> Any:
    return lambda told: RecordConsent(
        patient_id=told.id(name), connection_id=told.id(hospital), recorded_by="tester", **said
    )


def membership(plan: Plan, chance: Chance) -> None:
    for person in plan.people.values():
        for name in chance.some(list(plan.groups), 65):
            enroll(plan, person, name, chance.one(BEGINS), 2)


def enroll(plan: Plan, person: Person, name: str, status: EnrollmentStatus, moment: int) -> None:
    who, active = person.name, status is EnrollmentStatus.ACTIVE
    person.groups[name] = f"enrol {who} {name}" if active else ""
    plan.seats[name] = plan.seats.get(name, 0) + active
    plan.add(
        f"enrol {who} {name}",
        moment,
        lambda told: Enroll(
            patient_id=told.id(who),
            group_id=told.id(name),
            status=status,
            start=BEGIN,
            ahead_of_waitlist=active,
            reason="there is room" if active else None,
        ),
        [who],
    )


def sessions(plan: Plan, chance: Chance) -> None:
    """Some held, with marks of members and of guests; some still to come; some cancelled."""
    for name, held in plan.groups.items():
        for week in range(chance.number(1, 3)):
            start = BEGIN + WEEK * (week + chance.one([1, 1, 1, 25]))
            meeting = plan.add(f"session {name} {week}", 3, session(name, start))
            if start > BEGIN + 20 * WEEK:
                continue
            if chance.happens(10):
                plan.add(f"cancel {meeting}", 3, cancelled(meeting))
                continue
            held.append(meeting)
            plan.add(f"hold {meeting}", 3, happened(meeting))
            attendance(plan, chance, name, meeting, 3)


def session(name: str, start: datetime) -> Any:
    return lambda told: CreateSession(group_id=told.id(name), start=start, end=start + HOUR)


def cancelled(meeting: str) -> Any:
    return lambda told: UpdateSession(
        session_id=told.id(meeting), status=SessionStatus.CANCELLED, cancel_reason="snow"
    )


def happened(meeting: str) -> Any:
    return lambda told: UpdateSession(session_id=told.id(meeting), status=SessionStatus.HELD)


def attendance(plan: Plan, chance: Chance, name: str, meeting: str, moment: int) -> None:
    """Each person's mark by itself, so that it is told wherever the person is."""
    for person in plan.people.values():
        if person.merged:
            continue
        if person.groups.get(name) and chance.happens(75):
            make = marked(meeting, person.name, chance.one(list(AttendanceMark)))
        elif not person.groups.get(name) and chance.happens(8):
            make = walked_in(meeting, person.name, chance.one(CAME))
        else:
            continue
        plan.add(f"mark {person.name} {meeting} {moment}", moment, make, [person.name])


def marked(meeting: str, who: str, mark: AttendanceMark) -> Any:
    return lambda told: RecordAttendance(
        session_id=told.id(meeting),
        marks=(Mark(patient_id=told.id(who), mark=mark),),
        recorded_by="tester",
    )


def walked_in(meeting: str, who: str, mark: AttendanceMark) -> Any:
    return lambda told: RecordWalkIn(
        session_id=told.id(meeting),
        mark=Mark(patient_id=told.id(who), mark=mark),
        recorded_by="tester",
    )


def responses(plan: Plan, chance: Chance) -> None:
    for person in plan.people.values():
        for _ in range(chance.number(0, 2)):
            respond(plan, chance, person, 4)


def respond(plan: Plan, chance: Chance, person: Person, moment: int) -> None:
    """Recorded by the programme, in one of the person's groups or not, or sent by a hospital."""
    linked = [name for name, since in person.links.items() if since <= moment]
    sender = chance.one([None, None, *linked])
    if sender == READER and (plan.knows(person.name) or 0) > moment:
        sender = None
    if sender == READER and plan.knows(person.name) is None:
        sender = None
    within = None if sender else chance.one([None, *person.groups])
    said = {
        "authored": BEGIN + WEEK * chance.number(0, 12),
        "status": chance.one([ResponseStatus.COMPLETED] * 3 + [ResponseStatus.IN_PROGRESS]),
        **questionnaire(chance),
    }
    name = f"response {person.name} {len(plan.facts)}"
    person.responses.append((name, sender))
    make = _response(person.name, sender, within, said)
    plan.add(name, moment, make, [person.name], [sender] if sender else [])


def questionnaire(chance: Chance) -> dict[str, Any]:
    if chance.happens(25):
        return {"instrument": "gad-7", "answers": dict.fromkeys(GAD7, chance.number(0, 3))}
    answers = phq9(chance.number(0, 3), item9=chance.one([0, 0, 1, 3]))
    return {"instrument": "phq-9", "answers": answers}


def _response(who: str, sender: str | None, within: str | None, said: dict[str, Any]) -> Any:
    return lambda told: RecordResponse(
        patient_id=told.id(who),
        connection_id=told.id(sender) if sender else None,
        group_id=told.id(within) if within else None,
        **said,
    )


BEGINNING = (hospitals, catalogue, people, consents, membership, sessions, responses)
