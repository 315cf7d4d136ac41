"""What people change their minds on, before questions are asked and in between.

`LATER` is told at a moment that is given: the last of the beginning, and each of those after it.
"""

from datetime import timedelta
from typing import Any

from service.commands import (
    ChangeEnrollment,
    CorrectResponse,
    CreatePatient,
    MergePatients,
    UndoLink,
    UpdateGroup,
    UpdatePatient,
    UpdateSession,
    WithdrawConsent,
)
from service.models.consents import Category
from service.models.enrollments import EnrollmentStatus
from service.models.groups import SessionStatus
from tests.properties.roster.facts import OTHERS, READER, Chance, Person, Plan
from tests.properties.roster.world_facts import (
    ASKED,
    attendance,
    consent,
    enroll,
    link,
    respond,
)
from tests.world import phq9

LEAVES = (EnrollmentStatus.ON_HOLD, EnrollmentStatus.FINISHED)


def moving(plan: Plan, chance: Chance, moment: int) -> None:
    """Enrolments that are held or finished, and some that begin."""
    for person in living(plan):
        for name, enrollment in list(person.groups.items()):
            if enrollment and chance.happens(20):
                make = _leave(enrollment, chance.one(LEAVES))
                plan.add(f"leave {person.name} {name}", moment, make, [person.name])
                person.groups[name] = ""
        new = [name for name in plan.groups if name not in person.groups]
        if new and chance.happens(25):
            enroll(plan, person, chance.one(new), EnrollmentStatus.ACTIVE, moment)


def _leave(enrollment: str, status: EnrollmentStatus) -> Any:
    return lambda told: ChangeEnrollment(
        enrollment_id=told.id(enrollment), status=status, reason="moved away"
    )


def corrections(plan: Plan, chance: Chance, moment: int) -> None:
    """Answers corrected and given anew, marks corrected, names changed."""
    for person in living(plan):
        for name, sender in chance.some(person.responses, 20):
            make = _correct(name, chance.number(0, 3))
            needs = [sender] if sender else []
            plan.add(f"correct {name} {moment}", moment, make, [person.name], needs)
        if chance.happens(20):
            respond(plan, chance, person, moment)
        if chance.happens(15):
            make = _rename(person.name, f"Renamed{chance.number(0, 1)}")
            plan.add(f"rename {person.name} {moment}", moment, make, [person.name])
    for name, held in plan.groups.items():
        for meeting in chance.some(held, 25):
            attendance(plan, chance, name, meeting, moment)


def _correct(name: str, score: int) -> Any:
    def make(told: Any) -> CorrectResponse | None:
        row = told.things[name].response
        if row.instrument != "phq-9":
            return None
        return CorrectResponse(
            response_id=row.id, answers=phq9(score, item9=score % 2), corrected_by="tester"
        )

    return make


def _rename(who: str, given: str) -> Any:
    return lambda told: UpdatePatient(patient_id=told.id(who), given=given)


def minds(plan: Plan, chance: Chance, moment: int) -> None:
    """Consents withdrawn, given anew and denied, to the reader and to others."""
    for person in living(plan):
        given = [one for one in person.consents if one[2] < moment]
        for name, hospital, since in chance.some(given, 15):
            person.consents.remove((name, hospital, since))
            make = _withdraw(name)
            plan.add(f"withdraw {name}", moment, make, [person.name], [hospital])
        for hospital, since in person.links.items():
            if since <= moment and chance.happens(25):
                category = chance.one(list(Category))
                consent(plan, chance, person, hospital, category, moment)


def _withdraw(name: str) -> Any:
    return lambda told: WithdrawConsent(consent_id=told.id(name), withdrawn_by="tester")


def ties(plan: Plan, chance: Chance, moment: int) -> None:
    """Links that are made late, or undone; whose link was undone is not linked again."""
    for person in living(plan):
        for hospital, since in list(person.links.items()):
            is_there = since < moment and hospital not in person.undone
            if is_there and chance.happens(7):
                person.undone.add(hospital)
                make = _undo(f"link {person.name} {hospital}")
                named = f"undo {person.name} {hospital}"
                plan.add(named, moment, make, [person.name], [hospital])
        new = [name for name in plan.policies if name not in person.links]
        if new and chance.happens(12):
            hospital = chance.one(new)
            link(plan, person, hospital, moment)
            for category in chance.some(ASKED, 75):
                consent(plan, chance, person, hospital, category, moment)


def _undo(name: str) -> Any:
    return lambda told: UndoLink(link_id=told.id(name), undone_by="tester", reason="mix-up")


def catalogue_changes(plan: Plan, chance: Chance, moment: int) -> None:
    """What concerns everybody alike."""
    for name, held in plan.groups.items():
        if chance.happens(20):
            new = f"Circle {chance.number(3, 4)}"
            plan.add(f"rename {name} {moment}", moment, _rename_group(name, new))
        if held and chance.happens(15):
            plan.add(f"longer {name} {moment}", moment, _longer(chance.one(held)))


def _rename_group(name: str, new: str) -> Any:
    return lambda told: UpdateGroup(group_id=told.id(name), neutral_name=new)


def _longer(meeting: str) -> Any:
    def make(told: Any) -> UpdateSession | None:
        row = told.things[meeting]
        if row.status is SessionStatus.CANCELLED:
            return None
        return UpdateSession(session_id=row.id, end=row.end + timedelta(hours=1))

    return make


def doubles(plan: Plan, chance: Chance, moment: int) -> None:
    """A second record of somebody, which the reader does not know of, merged into the first."""
    for person in living(plan):
        if READER not in person.links or not chance.happens(12):
            continue
        other = [name for name in plan.policies if name in OTHERS and name not in person.links]
        name = f"double of {person.name} {moment}"
        double = plan.people[name] = Person(name, merged=True)
        command = CreatePatient(family="Double", given="Other", phone="555-0199")
        plan.add(name, moment, lambda _t, c=command: c, people=[name])
        for hospital in chance.some(other, 80):
            link(plan, double, hospital, moment)
            for category in chance.some(ASKED, 50):
                consent(plan, chance, double, hospital, category, moment)
            person.links[hospital] = moment
            person.undone.add(hospital)  # it is the other record's link
        both = [person.name, name]
        plan.add(f"merge {name}", moment, _merge(name, person.name), both)


def _merge(source: str, target: str) -> Any:
    return lambda told: MergePatients(
        source_id=told.id(source), target_id=told.id(target), merged_by="tester", reason="one"
    )


def living(plan: Plan) -> list[Person]:
    """Who is not merged into another."""
    return [person for person in plan.people.values() if not person.merged]


LATER = (moving, corrections, minds, ties, catalogue_changes, doubles)
