"""Make value_sets.json from the value sets of R4 and US Core, by hand when one is added.

    python -m fhir_mappings.definitions.build_value_sets R4_FOLDER US_CORE_FOLDER...

R4_FOLDER holds enumerable-valuesets.json (value set -> code system -> codes) and codesystems.json
of HL7's definitions.json.zip; each US_CORE_FOLDER the ValueSet, CodeSystem and StructureDefinition
folders of one version of US Core, the newest last. Carried is every set whose codes the first of
these files lists, and those of US Core that a profile of a served type requires. Of SNOMED CT,
whose licence differs, the codes that US Core names are carried without displays.
https://hl7.org/fhir/R4/valueset.html
"""

import json
import sys
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from fhir_mappings.definitions.build_search import SEARCHED

Json = dict[str, Any]

R4 = "4.0.1"
SNOMED = "http://snomed.info/sct"


class Builder:
    """Collects systems, as displays by code, and sets, as codes by system."""

    def __init__(self, r4: Path, *us_core: Path) -> None:
        self.codes: Json = json.loads((r4 / "enumerable-valuesets.json").read_text())
        self.us_core = us_core
        self.displays: dict[str, dict[str, str]] = {}
        self.complete: set[str] = set()
        for definition in (*_entries(r4 / "codesystems.json"), *self._own("CodeSystem")):
            self._system(definition)

    def table(self) -> Json:
        """Return everything that is carried."""
        sets = {url: _set(R4, codes) for url, codes in self.codes.items()}
        for each in self._own("ValueSet"):
            if found := self.codes.get(each["url"]) or self._if_required(each):
                sets[each["url"]] = _set(each["version"], found)
        used = {system for each in sets.values() for system in each["codes"]}
        complete = sorted(self.complete & used)
        return {
            "source": "HL7 FHIR R4 4.0.1 and US Core, CC0-1.0; made by build_value_sets.py",
            "complete": complete,
            "displays": {system: self._shown(system, sets) for system in sorted(used)},
            "sets": sets,
        }

    def _shown(self, system: str, sets: Json) -> dict[str, str]:
        known = self.displays.get(system, {})
        if system in self.complete:
            return known
        used = {code for each in sets.values() for code in each["codes"].get(system, ())}
        return {code: known[code] for code in sorted(used) if code in known}

    def _own(self, folder: str) -> Iterator[Json]:
        for each in self.us_core:
            for path in sorted((each / folder).glob("*.json")):
                yield json.loads(path.read_text())

    def _system(self, definition: Json) -> None:
        url = definition.get("url", "")
        if not url or url == SNOMED or not definition.get("concept"):
            return
        known = self.displays.setdefault(url, {})
        for concept in _flat(definition["concept"]):
            known.setdefault(concept["code"], str(concept.get("display") or concept["code"]))
        if definition.get("content") == "complete":
            self.complete.add(url)

    def _if_required(self, definition: Json) -> dict[str, list[str]]:
        return self._expanded(definition) if definition["url"] in self.required else {}

    @cached_property
    def required(self) -> set[str]:
        found = set()
        for profile in self._own("StructureDefinition"):
            if profile.get("type") in {*SEARCHED, "Extension"}:
                for element in profile["snapshot"]["element"]:
                    binding = element.get("binding", {})
                    if binding.get("strength") == "required":
                        found.add(binding.get("valueSet", "").partition("|")[0])
        return found

    def _expanded(self, definition: Json) -> dict[str, list[str]]:
        """Return the codes by system, or nothing where they are not all known."""
        found: dict[str, list[str]] = {}
        for part in definition["compose"]["include"]:
            system = part.get("system", "")
            if "filter" in part or "valueSet" in part:
                return {}
            listed = [each["code"] for each in part.get("concept", ())]
            if not listed and system not in self.complete:
                return {}
            found.setdefault(system, []).extend(listed or self.displays[system])
            self._remember(system, part.get("concept", ()))
        return {} if "exclude" in definition["compose"] else found

    def _remember(self, system: str, concepts: list[Json]) -> None:
        known = self.displays.setdefault(system, {})
        for each in concepts:
            if "display" in each and system != SNOMED:
                known.setdefault(each["code"], each["display"])


def _set(version: str, codes: dict[str, list[str]]) -> Json:
    return {"version": version, "codes": codes}


def _entries(path: Path) -> list[Json]:
    return [entry["resource"] for entry in json.loads(path.read_text())["entry"]]


def _flat(concepts: list[Json]) -> Iterator[Json]:
    for concept in concepts:
        yield concept
        yield from _flat(concept.get("concept", []))


if __name__ == "__main__":
    table = Builder(*map(Path, sys.argv[1:])).table()
    text = json.dumps(table, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    Path(__file__).with_name("value_sets.json").write_text(text + "\n")
