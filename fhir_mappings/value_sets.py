"""The value sets carried: those that `definitions.build_value_sets` collects, and ours.

https://hl7.org/fhir/R4/valueset.html
"""

import json
from pathlib import Path

from fhir_mappings.conformance import codes
from service.fhir.terminology import Terminology, ValueSet, ValueSets

TABLE = Path(__file__).parent / "definitions" / "value_sets.json"


def load() -> Terminology:
    """Return HL7's sets and ours."""
    raw = json.loads(TABLE.read_text(encoding="utf-8"))
    own = {url: {each.code: each.display for each in found} for url, found in codes.systems()}
    sets = {
        url: ValueSet(each["version"], {s: tuple(found) for s, found in each["codes"].items()})
        for url, each in raw["sets"].items()
    }
    for system, displays in own.items():
        url = codes.value_set_of(system)
        sets[url] = ValueSet(codes.VERSION, {system: tuple(displays)})
    return Terminology(
        sets=sets,
        displays=raw["displays"] | own,
        complete=frozenset({*raw["complete"], *own}),
    )


VALUE_SETS = ValueSets(load)
