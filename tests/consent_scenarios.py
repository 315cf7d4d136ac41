"""The consent scenarios of tests/data, as pure decisions, and as the table of the documentation.

`python -m tests.consent_scenarios` writes docs/consent-scenarios.md.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml

from fhir_mappings import labels
from service.commands import ConsentTerms
from service.consents import terms
from service.disclosures import Declared
from service.explanations import Explanation, Question, Rule, explained
from service.fhir.mapping import Labels
from service.instruments import instrument
from service.models.connections import ConsentPolicy
from service.models.groups import Sensitivity
from service.models.provisions import Category, Decision, Label, Provision
from service.models.purposes import Purpose
from service.weighing import Content, given_by
from tests.fhir_mappings import fixed_facts

ROOT = Path(__file__).parent
FILE = ROOT / "data/consent-scenarios.yaml"
PAGE = ROOT.parent / "docs/consent-scenarios.md"
NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
SCENARIOS: list[dict[str, Any]] = yaml.safe_load(FILE.read_text())
NAMES = [each["id"] for each in SCENARIOS]
FORMS = {"phq-9": "1.0.0", "gad-7": "1.0.0"}


def moments(said: dict[str, Any], now: datetime, start: int | None) -> dict[str, Any]:
    """`from` and `to`, which are days from now, as start and end."""
    days = {"start": said.get("from", start), "end": said.get("to")}
    return {name: now + timedelta(days=n) for name, n in days.items() if n is not None}


def sets(said: dict[str, Any]) -> dict[str, Any]:
    kinds = {"categories": Category, "purposes": Purpose, "labels": Label}
    return {name: [kind(one) for one in said[name]] for name, kind in kinds.items() if name in said}


def nested(said: dict[str, Any], now: datetime) -> Provision:
    return Provision(
        decision=Decision(said["decision"]),
        **moments(said, now, None),
        **{name: frozenset(found) for name, found in sets(said).items()},
        provisions=tuple(nested(each, now) for each in said.get("except", ())),
    )


def root(said: dict[str, Any], now: datetime) -> Provision:
    """The root provision: what /v1 takes has its own defaults, what is sent says all itself."""
    if "sent" in said:
        return nested({"decision": "permit", **said}, now)
    more = {name: tuple(found) for name, found in sets(said).items()}
    flags = {name: said.get(name, False) for name in ("covers_part2", "shows_group_name")}
    command = ConsentTerms(
        category=Category(said["category"]) if "category" in said else None,
        decision=Decision(said.get("decision", "permit")),
        **moments(said, now, -2),
        **more,
        **flags,
        provisions=tuple(nested(each, now) for each in said.get("except", ())),
    )
    return terms(command, now)


def declared(place: int, said: dict[str, Any]) -> Declared:
    first = root(said, NOW).within()
    now = root(said["then"], NOW).within() if "then" in said else first
    waits = said.get("sent") == "confirm" and said.get("settled") != "confirm"
    return Declared(
        id=UUID(int=place + 1),
        provision=now,
        withdrawn=bool(said.get("withdrawn")),
        waits=waits,
        retracted=given_by(first) if "then" in said else {},
    )


def labelled(ask: dict[str, Any]) -> Labels:
    """How what is asked for is labelled."""
    category, part2 = Category(ask["category"]), ask.get("part2", False)
    if category is Category.ALERTS:
        return labels.alert(part2=part2)
    form = ask.get("form", "phq-9")
    if category is Category.SCORES:
        return labels.total(instrument(form, FORMS[form]), part2=part2)
    if category is Category.ANSWERS:
        return labels.answers(instrument(form, FORMS[form]), part2=part2)
    kind = Sensitivity(ask.get("group", "mental-health"))
    return labels.membership(fixed_facts.group(sensitivity=kind, part2=part2))


def question(scenario: dict[str, Any]) -> Question:
    ask = scenario["ask"]
    found = labelled(ask)
    return Question(
        patient_id=UUID(int=0),
        connection_id=UUID(int=0),
        content=Content(
            Category(ask["category"]),
            found.part2,
            found.confidentiality.value,
            found.sensitivity,
            ask.get("name", False),
        ),
        purpose=Purpose(ask.get("purpose", "TREAT")),
        at=NOW,
    )


def decided(scenario: dict[str, Any]) -> Explanation:
    """The decision without a database; that there is a link is looked up in one."""
    if not scenario.get("linked", True):
        sentence = "Nothing is given: the person is not linked to the hospital."
        return Explanation(Rule.NO_LINK, sentence)
    said = [declared(place, one) for place, one in enumerate(scenario["said"])]
    policy = ConsentPolicy(scenario.get("policy", "opt-in"))
    return explained("the hospital", policy, said, question(scenario))


HEAD = """# Consent scenarios

Each is run three ways by `tests/api/test_consent_scenarios.py`: as a pure decision, by what
`/v1/consents/explain` says, and by what the hospital reads. This page is made from
`tests/data/consent-scenarios.yaml` by `python -m tests.consent_scenarios`, and a test compares
the two. Sources: IHE Privacy Consent on FHIR (PCF) and its examples, 42 CFR Part 2, and our
decisions in [adr](adr/README.md). A consent names its purposes; one recorded at `/v1` without any
is a permit for `TREAT`, or a denial for every purpose.

| | source | situation | asked | given | rule | decided by | in words |
|---|---|---|---|---|---|---|---|
"""


def asked(ask: dict[str, Any]) -> str:
    what = "group name" if ask.get("name") else ask["category"]
    more = [ask[name] for name in ("form", "group") if name in ask]
    more += ["Part 2"] if ask.get("part2") else []
    return ", ".join([f"{what} for {ask.get('purpose', 'TREAT')}", *more])


def row(scenario: dict[str, Any]) -> str:
    found = decided(scenario)
    paths = ", ".join(f"`{each.path}`" for each in found.decided_by)
    cells = (
        scenario["id"],
        scenario["source"],
        scenario["situation"],
        asked(scenario["ask"]),
        "yes" if found.given else "no",
        found.rule.value,
        paths,
        found.sentence,
    )
    return f"| {' | '.join(cells)} |"


def page() -> str:
    return HEAD + "\n".join(map(row, SCENARIOS)) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
