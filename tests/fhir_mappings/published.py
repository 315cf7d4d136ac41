"""Published samples of PHQ-9, GAD-7 and AUDIT-C, and responses made by filling in their forms.

tests/data/README.md says whose each is.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from service.instruments import instrument

FOLDER = Path(__file__).parents[1] / "data" / "phq-gad"
Node = dict[str, Any]
LISTS = {"LL358-3": "/44250-9", "LL359-1": "/69722-7", "ll358-3": "/44250-9", "ll359-1": "/69722-7"}


def sample(name: str) -> Node:
    found: Node = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return found


def names() -> list[str]:
    return sorted(str(path.relative_to(FOLDER)) for path in FOLDER.glob("*/*.json"))


def filled(questionnaire: Node, nth: int) -> Node:
    """Answer every question of a form with its nth option, as a form filler of its own would."""
    named = questionnaire.get("url")
    body: Node = {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "authored": "2026-01-06T12:00:00Z",
        "questionnaire": named or "#form",
        "item": list(_filled(questionnaire, questionnaire["item"], nth)),
    }
    return body if named else {**body, "contained": [{**questionnaire, "id": "form"}]}


def _filled(form: Node, items: list[Node], nth: int) -> Iterator[Node]:
    for item in items:
        node: Node = {"linkId": item["linkId"]}
        if "item" in item:
            node["item"] = list(_filled(form, item["item"], nth))
        if item["type"] == "choice":
            node["answer"] = [{"valueCoding": _options(form, item)[nth]}]
        if item["type"] != "display":
            yield node


def _options(form: Node, item: Node) -> list[Node]:
    if "answerOption" in item:
        return [option["valueCoding"] for option in item["answerOption"]]
    name = item["answerValueSet"]
    for each in form.get("contained", []):
        if name in {f"#{each['id']}", each.get("url")}:
            return _codings(each)
    (link_id,) = {link for ending, link in LISTS.items() if name.endswith(ending)}
    return loinc(link_id)


def _codings(value_set: Node) -> list[Node]:
    found = value_set.get("expansion", {}).get("contains", [])
    for include in value_set.get("compose", {}).get("include", []):
        found += [{"system": include["system"], **each} for each in include["concept"]]
    return [{k: each[k] for k in ("system", "code", "display")} for each in found]


def loinc(link_id: str) -> list[Node]:
    """The PHQ-9's own options for this item."""
    answers = instrument("phq-9").by_link_id[link_id].answers
    return [{"system": "http://loinc.org", "code": each.code} for each in answers]
