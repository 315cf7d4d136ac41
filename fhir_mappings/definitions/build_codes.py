"""Value sets written out as code system -> codes, where their definitions allow it.

https://hl7.org/fhir/R4/valueset.html
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

Json = dict[str, Any]
Codes = dict[str, list[str]]

# A longer list is terminology for a terminology server.
MOST_CODES = 1000


class ValueSets:
    """The value sets and code systems of some folders of definitions."""

    def __init__(self, core: Path, guides: Iterable[Path]) -> None:
        self.codes: dict[str, Codes] = json.loads((core / "enumerable-valuesets.json").read_text())
        bundle = json.loads((core / "codesystems.json").read_text())
        found = [entry["resource"] for entry in bundle["entry"]]
        for guide in guides:
            found += [json.loads(p.read_text()) for p in sorted(guide.glob("CodeSystem/*.json"))]
            found += [json.loads(p.read_text()) for p in sorted(guide.glob("ValueSet/*.json"))]
        self.defined: dict[str, Json] = {each["url"]: each for each in found}

    def enumerated(self, canonical: str) -> Codes | None:
        """Return the set's codes; None if it has a filter, an unknown system or too many."""
        url = canonical.partition("|")[0]
        if url not in self.codes and not self._compose(url):
            return None
        codes = self.codes[url]
        return codes if sum(map(len, codes.values())) <= MOST_CODES else None

    def _compose(self, url: str) -> bool:
        compose = self.defined.get(url, {}).get("compose", {})
        if not compose or "exclude" in compose:
            return False
        made: Codes = {}
        for include in compose["include"]:
            found = self._included(include)
            if found is None:
                return False
            for system, codes in found.items():
                made.setdefault(system, []).extend(codes)
        self.codes[url] = made
        return True

    def _included(self, include: Json) -> Codes | None:
        if "filter" in include or ("valueSet" in include and "system" in include):
            return None
        if "valueSet" in include:
            return (
                self.enumerated(include["valueSet"][0]) if len(include["valueSet"]) == 1 else None
            )
        system: str = include["system"]
        if "concept" in include:
            return {system: [concept["code"] for concept in include["concept"]]}
        defined = self.defined.get(system, {})
        if defined.get("content") != "complete":
            return None
        return {system: list(_concept_codes(defined.get("concept", [])))}


def _concept_codes(concepts: list[Json]) -> Iterator[str]:
    for concept in concepts:
        yield concept["code"]
        yield from _concept_codes(concept.get("concept", []))
