"""Make summary.json from HL7's R4 (4.0.1) StructureDefinitions, by hand when a type is added.

    python -m fhir_mappings.definitions.build_summary FOLDER

FOLDER holds StructureDefinition/<type>.json, as in HL7's definitions.json.zip (CC0-1.0). For each
type: `kept`, what no form of a resource leaves out (mandatory and modifier elements), and
`summary`, what a summary has, where an object names what a backbone element keeps.

https://hl7.org/fhir/R4/search.html#summary
"""

import json
import sys
from pathlib import Path
from typing import Any

from fhir_mappings.definitions.build import RESOURCES

Json = dict[str, Any]
# Ours or those of the whole resource: they are handled by name.
NOT_ELEMENTS = {"id", "meta", "text"}


def table(folder: Path) -> Json:
    return {name: of_type(folder, name) for name in RESOURCES}


def of_type(folder: Path, name: str) -> Json:
    text = (folder / "StructureDefinition" / f"{name}.json").read_text()
    elements = json.loads(text)["snapshot"]["element"][1:]
    return {"kept": kept(elements, name), "summary": summary(elements, name)}


def children(elements: list[Json], path: str) -> list[Json]:
    return [e for e in elements if e["path"].rpartition(".")[0] == path and e["max"] != "0"]


def kept(elements: list[Json], name: str) -> list[str]:
    return sorted(
        text
        for element in children(elements, name)
        if element["min"] or element.get("isModifier")
        for text in names(element)
        if text not in NOT_ELEMENTS
    )


def summary(elements: list[Json], path: str) -> Json:
    """Return what is kept: by name 1, or an object where only some of its elements are."""
    found: Json = {}
    for element in children(elements, path):
        if not (element.get("isSummary") or element["min"]):
            continue
        below = children(elements, element["path"])
        inner = summary(elements, element["path"]) if below else {}
        whole = len(inner) == len([text for each in below for text in names(each)]) and all(
            each == 1 for each in inner.values()
        )
        for text in names(element):
            found[text] = 1 if not below or whole else inner
    return {text: entry for text, entry in found.items() if text not in NOT_ELEMENTS}


def names(element: Json) -> list[str]:
    """Return the names that an element has in JSON: one, or one for each type of a choice."""
    name = element["path"].rpartition(".")[2]
    if not name.endswith("[x]"):
        return [name]
    bare = name.removesuffix("[x]")
    return [bare + each["code"][0].upper() + each["code"][1:] for each in element["type"]]


if __name__ == "__main__":
    made = json.dumps(table(Path(sys.argv[1])), separators=(",", ":"), sort_keys=True)
    Path(__file__).with_name("summary.json").write_text(made + "\n")
