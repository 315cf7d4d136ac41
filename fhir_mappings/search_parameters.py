"""Search parameters of R4 and US Core, from the table that `definitions.build_search` makes.

https://hl7.org/fhir/R4/searchparameter-registry.html
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from service.fhir.mapping import SearchParameter

TABLE = Path(__file__).parent / "definitions" / "search_parameters.json"


@cache
def _table() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(TABLE.read_text(encoding="utf-8"))
    return found


def parameters_of(resource_type: str) -> tuple[SearchParameter, ...]:
    """Return the search parameters of this type, by name."""
    return tuple(
        SearchParameter(
            name=name,
            type=entry["type"],
            expression=entry["expression"],
            definition=entry["definition"],
            targets=tuple(entry.get("targets", ())),
            components=tuple(entry.get("components", ())),
        )
        for name, entry in sorted(_table().get(resource_type, {}).items())
    )
