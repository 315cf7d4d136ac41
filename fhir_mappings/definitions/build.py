"""Make r4.json from HL7's R4 (4.0.1) StructureDefinitions, by hand when a type is added.

    python -m fhir_mappings.definitions.build FOLDER

FOLDER holds profiles-types.json, StructureDefinition/<type>.json and enumerable-valuesets.json
(value set -> code system -> codes), as in HL7's definitions.json.zip, whose content is CC0-1.0.

https://hl7.org/fhir/R4/downloads.html
"""

import json
import sys
from pathlib import Path
from typing import Any

_NAMES = (
    "Appointment Bundle CapabilityStatement CarePlan CareTeam CodeSystem Communication Condition"
    " Consent DocumentReference Encounter EpisodeOfCare Flag Goal Group HealthcareService List"
    " Location Observation OperationOutcome Organization Parameters Patient Practitioner"
    " PractitionerRole Provenance Questionnaire QuestionnaireResponse RelatedPerson ServiceRequest"
    " Task ValueSet"
)
RESOURCES = _NAMES.split()
# Checked for every element or reference, not by name.
BUILT_IN = {"ele-1", "ref-1"}
# One key for several rules, so the type is added.
SHARED_KEYS = {"inv-1"}
FHIR_TYPE = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type"
Json = dict[str, Any]


class Builder:
    def __init__(self, folder: Path) -> None:
        bundle = json.loads((folder / "profiles-types.json").read_text())
        self.folder = folder
        self.definitions: Json = {e["resource"]["id"]: e["resource"] for e in bundle["entry"]}
        self.codes: Json = json.loads((folder / "enumerable-valuesets.json").read_text())
        self.types: Json = {}
        self.value_sets: Json = {}
        self.rules: Json = {}

    def table(self) -> Json:
        self.add("Element")
        for name in RESOURCES:
            text = (self.folder / "StructureDefinition" / f"{name}.json").read_text()
            self.definitions[name] = json.loads(text)
            self.add(name)
        names = self.codes["http://hl7.org/fhir/ValueSet/resource-types"]
        return {
            "source": "HL7 FHIR R4 4.0.1 StructureDefinitions, CC0-1.0; made by build.py",
            "resourceTypes": names["http://hl7.org/fhir/resource-types"],
            "resources": RESOURCES,
            "valueSets": self.value_sets,
            "rules": self.rules,
            "types": self.types,
        }

    def add(self, name: str) -> None:
        if name in self.types or name not in self.definitions:
            return
        if self.definitions[name]["kind"] == "primitive-type":
            return
        elements = self.definitions[name]["snapshot"]["element"]
        parents = {e["path"].rpartition(".")[0] for e in elements} | {name}
        for path in parents:
            if path:
                self.types[path] = {}
        for element in elements:
            self.element(element, parents)

    def element(self, element: Json, parents: set[str]) -> None:
        path: str = element["path"]
        parent, _, name = path.rpartition(".")
        rules = [self.rule(c, path) for c in element.get("constraint", []) if self.is_rule(c)]
        if rules and path in parents:
            self.types[path]["rules"] = rules
        if not parent or element["max"] == "0":
            return
        entry: Json = {"types": self.types_of(element, path if path in parents else None)}
        if element["min"]:
            entry["min"] = element["min"]
        if element["max"] != "1":
            entry["many"] = True
        if rules and path not in parents:
            entry["rules"] = rules
        entry.update(self.binding(element) | self.targets(element))
        self.types[parent].setdefault("elements", {})[name] = entry

    def types_of(self, element: Json, backbone: str | None) -> list[str]:
        if backbone:
            return [backbone]
        if "contentReference" in element:
            return [element["contentReference"].removeprefix("#")]
        names = [self.type_name(element, t) for t in element["type"]]
        for name in names:
            self.add(name)
        return names

    def type_name(self, element: Json, found: Json) -> str:
        # Resource.id is declared a string whose rule is given in words only.
        if element.get("base", {}).get("path") == "Resource.id":
            return "id"
        name: str = found["code"]
        if not name.startswith("http://hl7.org/fhirpath/"):
            return name
        return next(str(e["valueUrl"]) for e in found["extension"] if e["url"] == FHIR_TYPE)

    def is_rule(self, constraint: Json) -> bool:
        return constraint["severity"] == "error" and constraint["key"] not in BUILT_IN

    def rule(self, constraint: Json, path: str) -> str:
        key: str = constraint["key"]
        if key in SHARED_KEYS:
            key += f"@{path.partition('.')[0]}"
        self.rules[key] = constraint["human"]
        return key

    def binding(self, element: Json) -> Json:
        binding = element.get("binding", {})
        url = binding.get("valueSet", "").partition("|")[0]
        if binding.get("strength") != "required" or url not in self.codes:
            return {}
        self.value_sets[url] = self.codes[url]
        return {"binding": url}

    def targets(self, element: Json) -> Json:
        profiles = [p for t in element.get("type", []) for p in t.get("targetProfile", [])]
        names = sorted({p.rpartition("/")[2] for p in profiles})
        return {"targets": names} if names and "Resource" not in names else {}


if __name__ == "__main__":
    table = Builder(Path(sys.argv[1])).table()
    text = json.dumps(table, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    Path(__file__).with_name("r4.json").write_text(text + "\n")
