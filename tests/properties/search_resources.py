"""Random content of resources, by type.

https://hl7.org/fhir/R4/resourcelist.html
"""

from collections.abc import Callable, Iterator
from typing import Any

from tests.properties.search_elements import Elements

Made = Iterator[tuple[str, Any]]


def _patient(a: Elements) -> Made:
    yield "identifier", a.some(a.identifier)
    yield "active", a.maybe(lambda: a.one(True, False))
    yield "name", a.some(a.name)
    yield "gender", a.maybe(lambda: a.one("male", "female", "other"))
    yield "birthDate", a.maybe(a.date)
    yield "address", a.some(a.address)
    yield "telecom", a.some(a.telecom)
    yield a.one(("deceasedBoolean", a.one(True, False)), ("deceasedDateTime", a.moment()), ("x", 0))
    yield "generalPractitioner", a.some(lambda: a.reference("Practitioner", "Organization"))
    yield "managingOrganization", a.maybe(lambda: a.reference("Organization"))
    yield "communication", a.some(lambda: {"language": a.concept()})


def _organization(a: Elements) -> Made:
    yield "identifier", a.some(a.identifier)
    yield "active", a.maybe(lambda: a.one(True, False))
    yield "name", a.maybe(a.word)
    yield "alias", a.some(a.word)
    yield "type", a.some(a.concept)
    yield "partOf", a.maybe(lambda: a.reference("Organization"))
    yield "address", a.some(a.address)


def _person(a: Elements) -> Made:
    yield "identifier", a.some(a.identifier)
    yield "name", a.some(a.name)
    yield "gender", a.maybe(lambda: a.one("male", "female"))
    yield "telecom", a.some(a.telecom)


def _related(a: Elements) -> Made:
    yield from _person(a)
    yield "birthDate", a.maybe(a.date)
    yield "relationship", a.some(a.concept)


def _location(a: Elements) -> Made:
    yield "name", a.maybe(a.word)
    yield "status", "active"
    yield "address", a.maybe(a.address)
    yield "managingOrganization", a.maybe(lambda: a.reference("Organization"))


def _group(a: Elements) -> Made:
    yield "type", "person"
    yield "actual", True
    yield "code", a.maybe(a.concept)


def _encounter(a: Elements) -> Made:
    yield "identifier", a.some(a.identifier)
    yield "status", a.one("planned", "finished")
    yield "class", a.coding()
    yield "type", a.some(a.concept)
    yield "period", a.maybe(a.period)
    yield (
        "participant",
        a.some(lambda: {"individual": a.reference("Practitioner", "RelatedPerson")}),
    )
    yield "location", a.some(lambda: {"location": a.reference("Location")})
    yield "serviceProvider", a.maybe(lambda: a.reference("Organization"))
    yield "partOf", a.maybe(lambda: a.reference("Encounter"))
    yield "hospitalization", a.maybe(lambda: {"dischargeDisposition": a.concept()}, 0.3)


def _value(a: Elements) -> tuple[str, Any]:
    return a.one(
        ("valueQuantity", a.quantity()),
        ("valueQuantity", a.quantity()),
        ("valueCodeableConcept", a.concept()),
        ("valueString", a.word()),
        ("valueDateTime", a.moment()),
        ("valuePeriod", a.period()),
        ("valueInteger", 5),
    )


def _observation(a: Elements) -> Made:
    yield "identifier", a.some(a.identifier)
    yield "status", a.one("final", "amended")
    yield "category", a.some(a.concept)
    yield "code", a.concept()
    yield "encounter", a.maybe(lambda: a.reference("Encounter"))
    yield a.one(
        ("effectiveDateTime", a.moment()),
        ("effectivePeriod", a.period()),
        ("effectiveInstant", a.instant()),
        ("effectiveTiming", {"event": [a.moment(), a.moment()]}),
        ("effectiveTiming", {"repeat": {"boundsPeriod": a.period()}}),
        ("effectiveTiming", {"repeat": {"frequency": 1}}),
        ("x", 0),
    )
    yield a.maybe(lambda: _value(a)) or ("dataAbsentReason", a.concept())
    yield "component", a.some(lambda: {"code": a.concept(), **dict([_value(a)])})
    yield "performer", a.some(lambda: a.reference("Practitioner", "Organization", "Patient"))
    yield "hasMember", a.some(lambda: a.reference("Observation"))
    yield "derivedFrom", a.some(lambda: a.reference("Observation", "QuestionnaireResponse"), 1)


def _condition(a: Elements) -> Made:
    asserted = "http://hl7.org/fhir/StructureDefinition/condition-assertedDate"
    yield "identifier", a.some(a.identifier)
    yield "clinicalStatus", a.maybe(a.concept)
    yield "category", a.some(a.concept)
    yield "code", a.maybe(a.concept)
    yield "encounter", a.maybe(lambda: a.reference("Encounter"))
    yield "recordedDate", a.maybe(a.moment)
    yield a.one(("onsetDateTime", a.moment()), ("onsetPeriod", a.period()), ("onsetString", "x"))
    yield a.one(("abatementDateTime", a.moment()), ("abatementString", "x"), ("x", 0))
    yield "asserter", a.maybe(lambda: a.reference("Practitioner", "Patient"))
    yield "extension", a.some(lambda: {"url": a.one(asserted, "u"), "valueDateTime": a.moment()}, 1)


def _team(a: Elements) -> Made:
    yield "status", a.one("active", "inactive")
    yield "period", a.maybe(a.period)
    yield (
        "participant",
        a.some(lambda: {"role": [a.concept()], "member": a.reference("Patient", "Practitioner")}),
    )


def _goal(a: Elements) -> Made:
    yield "lifecycleStatus", "active"
    yield "description", a.concept()
    yield a.one(("startDate", a.date()), ("startCodeableConcept", a.concept()), ("x", 0))
    yield (
        "target",
        a.some(lambda: dict([a.one(("dueDate", a.date()), ("dueDuration", {"value": 1}))])),
    )


def _request(a: Elements) -> Made:
    yield "identifier", a.some(a.identifier)
    yield "status", a.one("active", "completed")
    yield "intent", "order"
    yield "code", a.maybe(a.concept)
    yield "authoredOn", a.maybe(a.moment)
    yield a.one(("occurrenceDateTime", a.moment()), ("occurrencePeriod", a.period()), ("x", 0))
    yield "requester", a.maybe(lambda: a.reference("Practitioner", "Organization"))
    yield "performer", a.some(lambda: a.reference("Practitioner", "Patient", "CareTeam"))
    yield "requisition", a.maybe(a.identifier)


def _task(a: Elements) -> Made:
    yield "status", a.one("requested", "completed")
    yield "intent", "order"
    yield "priority", a.maybe(lambda: a.one("routine", "urgent"))
    yield "focus", a.maybe(lambda: a.reference("ServiceRequest", "Observation"))
    yield "authoredOn", a.maybe(a.moment)
    yield "lastModified", a.maybe(a.moment)
    yield "owner", a.maybe(lambda: a.reference("Organization", "Practitioner"))
    yield "partOf", a.some(lambda: a.reference("Task"), 1)
    yield "basedOn", a.some(lambda: a.reference("ServiceRequest"), 1)
    yield "executionPeriod", a.maybe(a.period)


def _response(a: Elements) -> Made:
    form = "http://forms/phq-9"
    yield "status", "completed"
    yield "questionnaire", a.maybe(lambda: a.one(form, form + "|1", form + "|2", "http://forms/b"))
    yield "authored", a.maybe(a.moment)
    yield "author", a.maybe(lambda: a.reference("Practitioner", "Patient"))
    yield "source", a.maybe(lambda: a.reference("Patient", "RelatedPerson"))


def _provenance(a: Elements) -> Made:
    kinds = ("Observation", "Condition", "Patient")
    yield "target", [a.reference(*kinds) for _ in range(a.one(1, 2))]
    yield "recorded", a.instant()
    yield a.one(("occurredDateTime", a.moment()), ("occurredPeriod", a.period()), ("x", 0))
    yield "agent", [{"who": a.reference("Practitioner", "Organization"), "type": a.concept()}]


def _paper(a: Elements) -> Made:
    yield "masterIdentifier", a.maybe(a.identifier)
    yield "identifier", a.some(a.identifier)
    yield "status", "current"
    yield "type", a.maybe(a.concept)
    yield "date", a.maybe(a.instant)
    yield "author", a.some(lambda: a.reference("Practitioner", "Organization"))
    url = a.one("http://files/1", "http://files/2")
    yield "content", [{"attachment": {"url": url, "contentType": a.one("text/plain", "image/png")}}]
    yield (
        "context",
        a.maybe(lambda: {"period": a.period(), "encounter": [a.reference("Encounter")]}),
    )


MAKERS: dict[str, Callable[[Elements], Made]] = {
    "Patient": _patient,
    "Organization": _organization,
    "Practitioner": _person,
    "Location": _location,
    "Group": _group,
    "RelatedPerson": _related,
    "Encounter": _encounter,
    "Observation": _observation,
    "Condition": _condition,
    "CareTeam": _team,
    "Goal": _goal,
    "ServiceRequest": _request,
    "Task": _task,
    "QuestionnaireResponse": _response,
    "Provenance": _provenance,
    "DocumentReference": _paper,
}
