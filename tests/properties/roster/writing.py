"""Questions that write: what others have is not found, referred to, changed or in the way."""

import random
from typing import Any

import orjson

from tests import sent as bodies
from tests.properties.roster.knowing import Known
from tests.properties.roster.questions import JSON, PATCH, Maker, Question, address, named, sent
from tests.properties.roster.searching import criterion
from tests.world import phq9

Json = dict[str, Any]
CHOSEN = ("chosen-by-both", "own-1", "own-2")
PREFER = ("return=representation", "return=minimal", "return=OperationOutcome")
KEPT = ("Condition", "Goal", "Task", "CarePlan", "List", "ServiceRequest", "RelatedPerson")


def body_about(rng: random.Random, known: Known, patient: str | None = None) -> Json:
    """A resource that a client may send, about somebody whom it knows or does not."""
    found: Json = rng.choice(bodies.about(patient or known.patient(rng)))
    if rng.random() < 0.2:
        label = {**bodies.LABEL, "code": rng.choice("NRV")}
        found = {**found, "meta": {"security": [label]}}
    return found


def create(rng: random.Random, known: Known) -> Question:
    body = body_about(rng, known)
    return sent("POST", f"/fhir/{body['resourceType']}", body, prefer=rng.choice(PREFER))


def observe(rng: random.Random, known: Known) -> Question:
    """An observation that refers to more than its subject."""
    encounter, numbers = known.doc(rng, "Encounter"), known.doc(rng, "Patient").resource
    logical = {"identifier": rng.choice(numbers.get("identifier") or [{"value": "none"}])}
    about = {"reference": f"Patient/{known.patient(rng)}"}
    body = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "pulse"},
        "subject": rng.choice((about, about, logical)),
        "encounter": {"reference": encounter.path},
        "performer": [{"reference": known.doc(rng, "Organization", "Practitioner").path}],
    }
    return sent("POST", "/fhir/Observation", body, prefer=rng.choice(PREFER))


def answer(rng: random.Random, known: Known) -> Question:
    """A response that is scored."""
    items = [
        {"linkId": f"/{code.removeprefix('/')}", "answer": [{"valueDecimal": value}]}
        for code, value in phq9(rng.randint(0, 3), item9=rng.choice((0, 1))).items()
    ]
    body = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": "http://loinc.org/q/44249-1",
        "status": "completed",
        "subject": {"reference": f"Patient/{known.patient(rng)}"},
        "authored": "2026-05-06T15:00:00Z",
        "item": items,
    }
    return sent("POST", "/fhir/QuestionnaireResponse", body, prefer=rng.choice(PREFER))


def person(rng: random.Random, known: Known) -> Question:
    """A patient, who may be like one of another hospital; at times only if there is none."""
    like = known.doc(rng, "Patient").resource
    body = {
        "resourceType": "Patient",
        "identifier": [one for one in like.get("identifier", []) if one.get("value")][:1],
        "name": like.get("name") or [{"family": rng.choice(known.words)}],
    }
    if not body["identifier"]:
        del body["identifier"]
    once = {}
    if rng.random() < 0.5:
        name, value = criterion(rng, known, "Patient")
        once["if_none_exist"] = address("", (name, value)).removeprefix("?")
    return sent("POST", "/fhir/Patient", body, **once)


def choose(rng: random.Random, known: Known) -> Question:
    """An update of an id: one's own, another's, or one that is new, as another may have chosen."""
    body = body_about(rng, known)
    doc = known.doc(rng, body["resourceType"])
    shown = rng.choice((*CHOSEN, doc.id, doc.id))
    match = {"if_match": rng.choice(('W/"1"', 'W/"2"'))} if rng.random() < 0.3 else {}
    path = f"/fhir/{body['resourceType']}/{shown}"
    return sent("PUT", path, {**body, "id": shown}, **match)


def replace(rng: random.Random, known: Known) -> Question:
    """An update of what is there already, by what it says or by what another's says."""
    doc = known.doc(rng, *KEPT, "Patient", "QuestionnaireResponse", "Observation")
    body = {**doc.resource, "resourceType": doc.type, "id": doc.id}
    body.pop("meta", None)
    return sent("PUT", f"/fhir/{doc.path}", body, prefer=rng.choice(PREFER))


def found(rng: random.Random, known: Known) -> Question:
    """A conditional write, by what either side's documents say."""
    body = body_about(rng, known)
    kind = body["resourceType"]
    asked = address(f"/fhir/{kind}", criterion(rng, known, kind))
    how = rng.choice(("PUT", "PATCH", "DELETE"))
    if how == "PUT":
        return sent("PUT", asked, body)
    if how == "PATCH":
        return sent("PATCH", asked, patch(rng), PATCH)
    return Question("DELETE", asked)


def patch(rng: random.Random) -> list[Json]:
    ways: list[list[Json]] = [
        [],
        [{"op": "test", "path": "/id", "value": "x"}],
        [{"op": "add", "path": "/language", "value": "en"}],
    ]
    return rng.choice(ways)


def change(rng: random.Random, known: Known) -> Question:
    doc = known.doc(rng)
    match = named({"if_match": rng.choice(('W/"1"', 'W/"7"'))} if rng.random() < 0.3 else {})
    headers = (("content-type", PATCH), *match)
    return Question("PATCH", f"/fhir/{doc.path}", orjson.dumps(patch(rng)), headers)


def remove(rng: random.Random, known: Known) -> Question:
    return Question("DELETE", f"/fhir/{known.doc(rng, *KEPT, 'Group', 'Encounter').path}")


def bundled(rng: random.Random, known: Known) -> Question:
    """A batch or transaction, in which entries refer to each other and to either side."""
    entries: list[Json] = []
    for number in range(rng.randint(1, 3)):
        body = body_about(rng, known)
        request: Json = {"method": "POST", "url": body["resourceType"]}
        if rng.random() < 0.3:
            some = address("", criterion(rng, known, body["resourceType"]))
            request["ifNoneExist"] = some.removeprefix("?")
        whole = f"urn:uuid:0000000{number}-0000-4000-8000-000000000000"
        entries.append({"fullUrl": whole, "resource": body, "request": request})
    doc = known.doc(rng)
    entries.append({"request": {"method": rng.choice(("GET", "DELETE")), "url": doc.path}})
    kind = rng.choice(("batch", "transaction"))
    headers = named({"content-type": JSON, "prefer": rng.choice(PREFER)})
    bundle = {"resourceType": "Bundle", "type": kind, "entry": entries}
    return Question("POST", "/fhir", orjson.dumps(bundle), headers)


WRITES: tuple[tuple[int, Maker], ...] = (
    (3, create),
    (2, observe),
    (2, answer),
    (2, person),
    (3, choose),
    (2, replace),
    (3, found),
    (1, change),
    (2, remove),
    (2, bundled),
)
