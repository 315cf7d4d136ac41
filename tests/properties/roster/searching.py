"""Questions that search: by every parameter, through chains, with includes, counts and pages."""

import random
from typing import Any

from fhir_mappings.registry import build_registry
from service.fhir.compartments import PARAMETERS
from tests.properties.roster.knowing import Known, Term
from tests.properties.roster.questions import FORM, Maker, Question, encoded, get, sent

REGISTRY = build_registry()
PEOPLE = (
    *["Patient"] * 3, *["Observation"] * 4, *["Encounter"] * 4, *["QuestionnaireResponse"] * 3,
    *["Group"] * 3, *["EpisodeOfCare"] * 3, *["Appointment"] * 3, "Consent", "Consent", "Flag",
    "Flag", "Organization", "Condition", "Task", "Provenance", "List", "HealthcareService",
    "Location", "PractitionerRole", "RelatedPerson", "Goal",
)  # fmt: skip
ABOUT = ("Observation", "Encounter", "EpisodeOfCare", "QuestionnaireResponse", "Flag", "Consent")
# What is public, to which documents of every side refer.
REFERRED = ("Organization", "Location", "HealthcareService", "Practitioner", "PractitionerRole")
REFERRING = tuple(name for name in REGISTRY.by_type if name in PEOPLE)
MODIFIERS: dict[str, tuple[str, ...]] = {
    "token": ("", "", "", ":not", ":text", ":missing"),
    "string": ("", "", ":contains", ":exact", ":missing"),
    "reference": ("", "", ":missing", ":identifier"),
}
DAYS = ("2026-01", "2026-02-02", "2026-05-25", "2026-06-01", "2025", "2030-01-01")
LABELS = (
    "http://terminology.hl7.org/CodeSystem/v3-Confidentiality|R",
    "http://terminology.hl7.org/CodeSystem/v3-Confidentiality|V",
    "http://terminology.hl7.org/CodeSystem/v3-ActCode|ETH",
    "http://terminology.hl7.org/CodeSystem/v3-ActCode|PSY",
    "42CFRPart2",
)
Pair = tuple[str, str]


def references(kind: str) -> list[tuple[str, str]]:
    """The reference parameters of a type, with each type that they may lead to."""
    return [
        (one.name, target)
        for one in REGISTRY.by_type[kind].parameters
        if one.type == "reference"
        for target in one.targets
        if target in REGISTRY.by_type
    ]


def criterion(rng: random.Random, known: Known, kind: str) -> Pair:
    """A parameter with a value that a document has, or a word that only the hidden have."""
    term = known.term(rng, kind)
    if rng.random() < 0.1:
        strings = [one.name for one in REGISTRY.by_type[kind].parameters if one.type == "string"]
        term = Term(kind, rng.choice(strings or ["_id"]), rng.choice(known.words))
    return modified(rng, kind, term)


def modified(rng: random.Random, kind: str, term: Term) -> Pair:
    name = term.param.partition(":")[0]
    parameter = REGISTRY.by_type[kind].by_name.get(name)
    modifier = rng.choice(MODIFIERS.get(parameter.type if parameter else "", ("",)))
    if modifier == ":missing":
        return f"{name}:missing", rng.choice(("true", "false"))
    if parameter is not None and parameter.type == "date":
        return name, f"{rng.choice(('', 'ge', 'lt', 'ne'))}{term.value}"
    return f"{name}{modifier}", term.value


def control(rng: random.Random, known: Known, kind: str) -> list[Pair]:
    """What shapes an answer."""
    ways: list[list[Pair]] = [
        [("_summary", rng.choice(("count", "count", "true", "text", "data", "false")))],
        [("_total", rng.choice(("accurate", "estimate", "none")))],
        [("_elements", rng.choice(("id", "subject,status", "member", "name,identifier")))],
        [("_sort", rng.choice(("_id", "-_id", "date", "-date", "_lastUpdated", "-_lastUpdated")))],
        [("_security", rng.choice(LABELS))],
        [("_security:not", rng.choice(LABELS))],
        [("_lastUpdated", f"{rng.choice(('ge', 'lt', 'ap'))}{rng.choice(DAYS)}")],
        [("_id", ",".join(known.doc(rng, kind).id for _ in range(3)))],
        [("_count", str(rng.choice((0, 1, 2, 3, 50))))],
        included(rng, kind),
        included(rng, kind),
    ]
    return rng.choice(ways)


def included(rng: random.Random, kind: str) -> list[Pair]:
    """Includes of a type, at times iterated, and at times with what nobody has."""
    iterate = rng.choice(("", "", ":iterate"))
    forward, backward = references(kind), backwards(kind)
    found: list[Pair] = [("_include", "*")] if rng.random() < 0.1 else []
    if forward:
        name, target = rng.choice(forward)
        typed = rng.choice(("", f":{target}"))
        found.append((f"_include{iterate}", f"{kind}:{name}{typed}"))
    if backward:
        source, name = rng.choice(backward)
        found.append((f"_revinclude{iterate}", f"{source}:{name}"))
    return rng.sample(found, min(len(found), rng.choice((1, 2))))


def backwards(kind: str) -> list[Pair]:
    return [
        (source, name)
        for source in REFERRING
        for name, target in references(source)
        if target == kind
    ]


def pairs(rng: random.Random, known: Known, kind: str) -> list[Pair]:
    found = [criterion(rng, known, kind) for _ in range(rng.choice((0, 1, 1, 1, 2)))]
    for _ in range(rng.choice((0, 1, 1, 2))):
        found += control(rng, known, kind)
    return found


def plainly(rng: random.Random, known: Known) -> Question:
    kind = rng.choice(PEOPLE)
    return get(f"/fhir/{kind}", *pairs(rng, known, kind), pages=rng.choice((0, 0, 1)))


def everyone(rng: random.Random, _known: Known) -> Question:
    """All of a type, page by page to the end."""
    kind = rng.choice(PEOPLE)
    total = [("_total", "accurate")] if rng.random() < 0.5 else []
    size = str(rng.choice((1, 2, 3)))
    return get(f"/fhir/{kind}", ("_count", size), *total, *order(rng), pages=6)


def order(rng: random.Random) -> list[Pair]:
    return rng.choice(([], [("_sort", "-_lastUpdated")], [("_sort", "_id")]))


def counted(rng: random.Random, known: Known) -> Question:
    kind = rng.choice(PEOPLE)
    some = [criterion(rng, known, kind)] if rng.random() < 0.5 else []
    return get(f"/fhir/{kind}", *some, ("_summary", "count"))


def whose(rng: random.Random, known: Known) -> Question:
    """What is about one patient, whosever patient that is."""
    kind, patient = rng.choice(ABOUT), known.patient(rng)
    value = rng.choice((patient, f"Patient/{patient}"))
    return get(f"/fhir/{kind}", ("patient", value), *control(rng, known, kind))


def chained(rng: random.Random, known: Known) -> Question:
    kind = rng.choice([name for name in PEOPLE if references(name)])
    name, target = rng.choice(references(kind))
    inner, value = criterion(rng, known, target)
    typed = rng.choice((f":{target}", f":{target}", ""))
    if rng.random() < 0.2 and references(target):
        step, last = rng.choice(references(target))
        deepest, value = criterion(rng, known, last)
        inner = f"{step}:{last}.{deepest}"
    return get(f"/fhir/{kind}", (f"{name}{typed}.{inner}", value), *control(rng, known, kind))


def reversed_chain(rng: random.Random, known: Known) -> Question:
    kind = rng.choice(("Patient", "Patient", "Encounter", *REFERRED))
    source, name = rng.choice(backwards(kind))
    inner, value = criterion(rng, known, source)
    asked = f"_has:{source}:{name}:{inner}"
    if rng.random() < 0.25 and (further := backwards(source)):
        other, by = rng.choice(further)
        inner, value = criterion(rng, known, other)
        asked = f"_has:{source}:{name}:_has:{other}:{by}:{inner}"
    return get(f"/fhir/{kind}", (asked, value), *control(rng, known, kind))


def through_what_is_public(rng: random.Random, known: Known) -> Question:
    """Whether anything of somebody refers to what everybody sees: a place, the programme.

    All sides refer to these, and so they are where one side could be seen from another.
    """
    source, name, kind = to_the_public(rng)
    ways = [("_id", known.doc(rng, source).id), criterion(rng, known, source)]
    if "patient" in REGISTRY.by_type[source].by_name:
        ways.append(("patient", known.patient(rng)))
    inner, value = rng.choice(ways)
    return get(f"/fhir/{kind}", (f"_has:{source}:{name}:{inner}", value))


def to_the_public(rng: random.Random) -> tuple[str, str, str]:
    """A type that is about people, its reference parameter, and the public type it leads to."""
    return rng.choice(
        [
            (source, name, kind)
            for source in ABOUT
            for name, kind in references(source)
            if kind in REFERRED
        ]
    )


def brought_along(rng: random.Random, known: Known) -> Question:
    """What comes along with what everybody sees, or with what one side has."""
    source, name, kind = to_the_public(rng)
    if rng.random() < 0.7:
        found = [("_revinclude", f"{source}:{name}"), *rng.choice(([], included(rng, source)))]
        return get(f"/fhir/{kind}", *found)
    kind = rng.choice(PEOPLE)
    return get(f"/fhir/{kind}", *included(rng, kind), *control(rng, known, kind))


def compartment(rng: random.Random, known: Known) -> Question:
    kind = rng.choice((*ABOUT, *ABOUT, "*", "Group", *PARAMETERS))
    path = f"/fhir/Patient/{known.patient(rng)}/{kind}"
    some = [] if kind == "*" else control(rng, known, kind)
    return get(path, *some, pages=rng.choice((0, 2)))


def several(rng: random.Random, known: Known) -> Question:
    """A search of several types at once, or of all of them."""
    types = rng.sample(list(dict.fromkeys(PEOPLE)), rng.randint(2, 4))
    some = rng.choice(
        [
            [("_lastUpdated", f"ge{rng.choice(DAYS)}")],
            [("_id", known.doc(rng).id)],
            [("_summary", "count")],
            [("_security", rng.choice(LABELS))],
            [("_total", "accurate")],
            [],
        ]
    )
    named = [("_type", ",".join(types))] if rng.random() < 0.8 else []
    return get("/fhir", *named, *some, ("_count", "4"), pages=rng.choice((0, 3)))


def roster(rng: random.Random, known: Known) -> Question:
    """The part of a group that the hospital sees: whole, or page by page."""
    groups = known.of("Group")
    if groups and rng.random() < 0.4:
        return get(f"/fhir/{rng.choice(groups).path}")
    return get("/fhir/Group", ("_count", rng.choice(("1", "50"))), pages=2)


def by_post(rng: random.Random, known: Known) -> Question:
    kind = rng.choice(PEOPLE)
    body = encoded(*pairs(rng, known, kind))
    return sent("POST", f"/fhir/{kind}/_search", body, FORM)


def everything(rng: random.Random, known: Known) -> Question:
    how: list[list[Pair]] = [
        [],
        [("_count", "3")],
        [("_type", "Observation,Encounter")],
        [("_type", "Group")],
        [("start", "2026-01-20"), ("end", "2026-03-01")],
        [("_since", "2026-05-25T00:00:00Z")],
    ]
    path = f"/fhir/Patient/{known.patient(rng)}/$everything"
    return get(path, *rng.choice(how), pages=rng.choice((0, 3)))


def progressed(rng: random.Random, known: Known) -> Question:
    since = [("since", "2026-03-01")] if rng.random() < 0.3 else []
    return get(f"/fhir/Patient/{known.patient(rng)}/$progress", *since)


def newest(rng: random.Random, known: Known) -> Question:
    code = [("code", known.term(rng, "Observation").value)] if rng.random() < 0.3 else []
    most = [("max", str(rng.choice((1, 2, 5))))] if rng.random() < 0.6 else []
    return get("/fhir/Observation/$lastn", ("patient", known.patient(rng)), *code, *most)


def matched(rng: random.Random, known: Known) -> Question:
    """Whether somebody is known, described as one of either side is, or by pieces of both."""
    parts = rng.choice((known.doc(rng, "Patient").resource, piecemeal(rng, known)))
    kept = {name: parts[name] for name in MATCHED if name in parts}
    certain = {"name": "onlyCertainMatches", "valueBoolean": rng.random() < 0.3}
    who = {"name": "resource", "resource": {"resourceType": "Patient", **kept}}
    body = {"resourceType": "Parameters", "parameter": [who, certain]}
    return sent("POST", "/fhir/Patient/$match", body)


MATCHED = ("identifier", "name", "gender", "birthDate", "telecom", "address")


def piecemeal(rng: random.Random, known: Known) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _ in range(3):
        one = known.doc(rng, "Patient").resource
        found |= {name: one[name] for name in MATCHED if name in one and rng.random() < 0.6}
    return found


def wrongly(rng: random.Random, known: Known) -> Question:
    """Errors name what was asked, and nothing that they know besides."""
    kind, doc, word = rng.choice(PEOPLE), known.doc(rng), rng.choice(known.words)
    bad: list[Pair] = [
        (word, "x"),
        ("patient", f"Observation/{doc.id}"),
        ("_count", word),
        ("_sort", word),
        ("_include", f"{doc.type}:{word}"),
        ("_has:Observation:nothing:code", word),
        ("date", f"ge{word}"),
        ("subject", f"http://elsewhere/fhir/{doc.path}"),
        ("subject:Nothing", doc.id),
        ("_cursor", word),
        ("_at", "2026-05-01"),
    ]
    handling = rng.choice(("strict", "lenient"))
    return get(f"/fhir/{kind}", rng.choice(bad), prefer=f"handling={handling}")


def another_page(rng: random.Random, known: Known) -> Question:
    """A page that another client was shown, or this hospital's clients were, long ago or now."""
    found = rng.choice((known.links, known.pages))
    if not found:
        return everyone(rng, known)
    full, alone = rng.choice(found)
    if rng.random() < 0.2:
        full, alone = (each.replace("_count=", "_count=1") for each in (full, alone))
    return Question("GET", full, path_alone=alone, refused=found is known.links)


SEARCHES: tuple[tuple[int, Maker], ...] = (
    (8, plainly),
    (6, everyone),
    (4, counted),
    (6, whose),
    (8, chained),
    (7, reversed_chain),
    (4, through_what_is_public),
    (4, brought_along),
    (5, compartment),
    (4, several),
    (5, roster),
    (2, by_post),
    (5, everything),
    (4, progressed),
    (4, newest),
    (4, matched),
    (3, wrongly),
    (4, another_page),
)
