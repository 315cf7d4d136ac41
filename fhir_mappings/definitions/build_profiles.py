"""Make profiles.json from implementation guides' StructureDefinitions, by hand when one is added.

    python -m fhir_mappings.definitions.build_profiles CORE GUIDE...

CORE is the folder that build.py reads; a GUIDE holds StructureDefinition, ValueSet and CodeSystem
folders, as in the packages of US Core, SDOH Clinical Care and SDC, whose definitions are CC0-1.0.
Kept is what a profile asks for beyond R4, as a tree of elements.

https://hl7.org/fhir/R4/profiling.html
"""

import json
import sys
from pathlib import Path
from typing import Any

from fhir_mappings.definitions.build import RESOURCES
from fhir_mappings.definitions.build_codes import ValueSets
from fhir_mappings.definitions.build_slicing import conditions
from fhir_mappings.definitions.profile_rules import NOT_CHECKED, PROFILE_RULES

Json = dict[str, Any]
CORE_URL = "http://hl7.org/fhir/StructureDefinition/"
# Of the guides that have profiles for every purpose, those that are for the documents here.
ONLY = {"sdc-3.0.0": {"sdc-questionnaireresponse"}}


def _key(definition: Json) -> str:
    return f"{definition['url']}|{definition['version']}"


class Builder:
    def __init__(self, core: Path, guides: list[Path]) -> None:
        bundle = json.loads((core / "profiles-types.json").read_text())
        found = [json.loads(p.read_text()) for p in sorted(core.glob("StructureDefinition/*.json"))]
        self.base: Json = {e["resource"]["id"]: e["resource"] for e in bundle["entry"]}
        self.base |= {d["id"]: d for d in found if d.get("derivation") != "constraint"}
        self.elements: dict[str, Json] = {
            e["path"]: e for d in self.base.values() for e in d["snapshot"]["element"]
        }
        self.core_rules = {
            c["key"] for e in self.elements.values() for c in e.get("constraint", [])
        }
        self.untold: set[str] = set()
        self.value_sets = ValueSets(core, guides)
        self.guides = {
            guide.name: [
                json.loads(p.read_text()) for p in sorted(guide.glob("StructureDefinition/*.json"))
            ]
            for guide in guides
        }
        self.type_of = {d["url"]: d["type"] for each in self.guides.values() for d in each}
        self.type_of |= {d["url"]: d["type"] for d in found}
        self.vital_signs = [d for d in found if d["id"] == "vitalsigns"]
        self.made: Json = {"valueSets": {}, "profiles": {}, "extensions": {}, "rules": {}}

    def table(self) -> Json:
        for name, definitions in {"core": self.vital_signs, **self.guides}.items():
            wanted = ONLY.get(name, {d["id"] for d in definitions})
            for definition in definitions:
                if definition["id"] in wanted and definition["type"] in RESOURCES:
                    tree = self.tree(definition, definitions) | {"type": definition["type"]}
                    self.made["profiles"][_key(definition)] = tree
        self.add_extensions()
        if self.untold:
            raise SystemExit(f"In neither PROFILE_RULES nor NOT_CHECKED: {sorted(self.untold)}")
        used = json.dumps([self.made["profiles"], self.made["extensions"]])
        codes = {k: v for k, v in self.made["valueSets"].items() if json.dumps(k) in used}
        source = "US Core, SDOH Clinical Care, SDC and R4, HL7, CC0-1.0; made by build_profiles.py"
        return self.made | {"valueSets": codes, "source": source}

    def add_extensions(self) -> None:
        used = json.dumps(self.made["profiles"])
        for definitions in self.guides.values():
            for definition in definitions:
                key = _key(definition)
                if definition["type"] == "Extension" and json.dumps(key) in used:
                    self.made["extensions"][key] = self.tree(definition, definitions)

    def tree(self, definition: Json, guide: list[Json]) -> Json:
        elements: list[Json] = definition["snapshot"]["element"]
        versions = {d["url"]: d["version"] for d in guide}
        nodes = {e["id"]: self.node(e, definition["type"], versions) for e in elements}
        for element in reversed(elements[1:]):
            self.attach(nodes, element, elements)
        root = nodes[elements[0]["id"]]
        root["name"] = definition["name"]
        return root

    def attach(self, nodes: Json, element: Json, elements: list[Json]) -> None:
        """Hang an element under the one around it, or, if it is a slice, under what it slices."""
        name: str = element["id"]
        node = nodes[name]
        last = name.rpartition(".")[2]
        if ":" in last:
            sliced = name.rpartition(":")[0]
            found = conditions(element, sliced, elements, self.is_listed)
            if found is None or sliced not in nodes:
                return
            node |= {"slice": element["sliceName"], "match": found}
            nodes[sliced].setdefault("slices", []).insert(0, node)
        elif node.keys() - {"name", "choice"}:
            nodes[name.rpartition(".")[0]].setdefault("kids", []).insert(0, node)

    def node(self, element: Json, kind: str, versions: dict[str, str]) -> Json:
        path: str = element["path"]
        name = path.rpartition(".")[2]
        node: Json = {"name": name.removesuffix("[x]")}
        if name.endswith("[x]"):
            node["choice"] = True
        if "." not in path:
            return node | self.rules(element, kind)
        base = element["base"]
        if element["min"] > (0 if "sliceName" in element else base["min"]):
            node["min"] = element["min"]
        if element["max"] not in {base["max"], "*"}:
            node["max"] = int(element["max"])
        for key, value in element.items():
            if key.startswith(("fixed", "pattern")):
                node["fixed" if key.startswith("fixed") else "pattern"] = value
        node |= self.types(element) | self.binding(element) | self.rules(element, kind)
        return node | self.extension(element, versions)

    def types(self, element: Json) -> Json:
        base = self.base_of(element["path"])
        found, node = element.get("type", []), {}
        codes = {each["code"] for each in found}
        if base and codes < {each["code"] for each in base.get("type", [])}:
            node["types"] = sorted(codes)
        targets = self.targets(found)
        if targets and targets != self.targets(base.get("type", []) if base else []):
            node["targets"] = sorted(targets)
        return node

    def targets(self, types: list[Json]) -> set[str]:
        profiles = [p.partition("|")[0] for t in types for p in t.get("targetProfile", [])]
        names = {self.type_of.get(p) or p.removeprefix(CORE_URL) for p in profiles}
        return set() if "Resource" in names or any("/" in name for name in names) else names

    def base_of(self, path: str) -> Json | None:
        """Find the element in R4, which may be one of a data type's."""
        if path in self.elements:
            return self.elements[path]
        around, _, name = path.rpartition(".")
        parent = self.base_of(around) if "." in around else None
        kinds = [t["code"] for t in parent.get("type", [])] if parent else []
        return self.base_of(f"{kinds[0]}.{name}") if len(kinds) == 1 else None

    def binding(self, element: Json) -> Json:
        binding = element.get("binding", {})
        url = binding.get("valueSet", "")
        base = self.base_of(element["path"]) or {}
        known = base.get("binding", {}).get("valueSet", "").partition("|")[0]
        if binding.get("strength") != "required" or url.partition("|")[0] == known:
            return {}
        return {"codes": url} if self.is_listed(url) else {}

    def is_listed(self, url: str) -> bool:
        codes = self.value_sets.enumerated(url)
        if codes is not None:
            self.made["valueSets"][url] = codes
        return codes is not None

    def rules(self, element: Json, kind: str) -> Json:
        keys = {
            f"{c['key']}@{kind}": c
            for c in element.get("constraint", [])
            if c["severity"] == "error" and c["key"] not in self.core_rules
        }
        self.untold |= keys.keys() - PROFILE_RULES.keys() - NOT_CHECKED
        known = {key: c["human"] for key, c in keys.items() if key in PROFILE_RULES}
        self.made["rules"] |= known
        return {"rules": sorted(known)} if known else {}

    def extension(self, element: Json, versions: dict[str, str]) -> Json:
        found = element.get("type", [])
        if len(found) != 1 or found[0]["code"] != "Extension" or "profile" not in found[0]:
            return {}
        url = found[0]["profile"][0].partition("|")[0]
        return {"extension": f"{url}|{versions[url]}"} if url in versions else {}


if __name__ == "__main__":
    table = Builder(Path(sys.argv[1]), [Path(each) for each in sys.argv[2:]]).table()
    text = json.dumps(table, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    Path(__file__).with_name("profiles.json").write_text(text + "\n")
