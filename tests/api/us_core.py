"""The examples of US Core as a hospital sends them: in an order in which references lead somewhere.

Sources and licences: tests/data/us-core/README.md.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.api.clients import Client, condition, encounter, person
from tests.api.us_core_searches import ASSERTED

FOLDER = Path(__file__).parents[1] / "data" / "us-core"
VERSIONS = ("6.1.0", "7.0.0")
REFERENCE = re.compile(r'"reference":"([A-Z][A-Za-z]+/[A-Za-z0-9.-]+)"')  # no blanks are there
ELSEWHERE = "https://elsewhere.example/fhir"
OURS = frozenset({"id", "meta"})

Json = dict[str, Any]


@dataclass
class Loaded:
    """What was sent and what became of it: resources and texts by `Type/id` of the example."""

    client: Client
    sent: dict[str, str] = field(default_factory=dict)
    made: dict[str, Json] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    def of(self, name: str) -> list[Json]:
        return [one for one in self.made.values() if one["resourceType"] == name]


def examples(version: str) -> dict[str, str]:
    found = {}
    for line in (FOLDER / f"{version}.ndjson").read_text(encoding="utf-8").splitlines():
        resource = json.loads(line)
        found[f"{resource['resourceType']}/{resource['id']}"] = line
    return found


def ordered(texts: dict[str, str]) -> Iterator[str]:
    """Yield each name after those it refers to; of a circle, one comes before."""
    done: set[str] = set()

    def visit(name: str) -> Iterator[str]:
        if name in done or name not in texts:
            return
        done.add(name)
        for target in REFERENCE.findall(texts[name]):
            yield from visit(target)
        yield name

    for name in sorted(texts):
        yield from visit(name)


def load(client: Client, version: str) -> Loaded:
    """Create every example; what a reference cannot lead to here is said to be elsewhere."""
    loaded, texts = Loaded(client), examples(version)

    def address(match: re.Match[str]) -> str:
        made = loaded.made.get(match[1])
        where = f"{made['resourceType']}/{made['id']}" if made else f"{ELSEWHERE}/{match[1]}"
        return f'"reference":"{where}"'

    for name in ordered(texts):
        text = REFERENCE.sub(address, texts[name])
        answer = client.post(text.encode(), name.partition("/")[0])
        assert answer.status_code == 201, (name, answer.text)
        loaded.sent[name], loaded.made[name] = text, answer.json()
        loaded.texts[name] = answer.text
    return loaded


def tokens(text: str) -> Any:
    """Every token of a resource but those of id and meta, numbers as they are written."""

    def number(written: str) -> tuple[str, str]:
        return "number", written

    pairs = json.loads(text, parse_float=number, parse_int=number, object_pairs_hook=list)
    return [pair for pair in pairs if pair[0] not in OURS]


def supplements(loaded: Loaded) -> dict[str, Json]:
    """What US Core searches for and no example has."""
    client, one = loaded.client, loaded.of("Practitioner")[0]["id"]
    patient = client.made(person(deceasedDateTime="2026-01-02T03:04:05Z"))
    subject = {"reference": f"Patient/{patient['id']}"}
    coded = [{"coding": [{"system": "urn:x:codes", "code": "coded"}]}]
    period = {"start": "2026-01-02", "end": "2026-03-04T05:06:07+01:00"}
    asserted = {"url": ASSERTED, "valueDateTime": "2026-01-02T03:04:05.678-05:00"}
    stay = {"dischargeDisposition": coded[0]}
    number = [{"system": "urn:x:visits", "value": "V1"}]
    said = {"status": "current", "type": coded[0], "category": coded, "subject": subject}
    plan = {"status": "active", "intent": "plan", "category": coded, "subject": subject}
    made: dict[str, Json] = {
        "Condition": condition(patient["id"], extension=[asserted]),
        "Encounter": encounter(patient["id"], identifier=number, hospitalization=stay),
        "CarePlan": {**plan, "period": period},
        "DocumentReference": {
            **said,
            "content": [{"attachment": {"url": "https://elsewhere.example/1"}}],
            "context": {"period": period},
        },
        "PractitionerRole": {
            "practitioner": {"reference": f"Practitioner/{one}"},
            "specialty": coded,
        },
    }
    loaded.made["Patient/ours"] = patient
    return {name: {**each, "resourceType": name} for name, each in made.items()}


def team(loaded: Loaded, role: str) -> Json:
    """A CareTeam with a member of each kind that US Core includes."""
    others = ("RelatedPerson", "Practitioner", "Patient")
    members = [f"{kind}/{loaded.of(kind)[0]['id']}" for kind in others]
    return {
        "resourceType": "CareTeam",
        "status": "active",
        "subject": {"reference": members[-1]},
        "participant": [
            {"member": {"reference": each}} for each in (f"PractitionerRole/{role}", *members)
        ],
    }
