"""The value sets carried: those that `definitions.build_value_sets` collects, and ours.

https://hl7.org/fhir/R4/valueset.html
"""

import json
from pathlib import Path

from fhir_mappings.conformance.codes import VERSION, systems, value_set_of
from service.fhir.terminology import Terminology, ValueSet, ValueSets

TABLE = Path(__file__).parent / "definitions" / "value_sets.json"


def load() -> Terminology:
    """Return HL7's sets and ours."""
    raw = json.loads(TABLE.read_text(encoding="utf-8"))
    own = {url: {each.code: each.display for each in found} for url, found in systems()}
    sets = {
        url: ValueSet(each["version"], {s: tuple(found) for s, found in each["codes"].items()})
        for url, each in raw["sets"].items()
    }
    for system, displays in own.items():
        url = value_set_of(system)
        sets[url] = ValueSet(VERSION, {system: tuple(displays)})
    return Terminology(
        sets=sets,
        displays=raw["displays"] | own,
        complete=frozenset({*raw["complete"], *own}),
    )


VALUE_SETS = ValueSets(load)
