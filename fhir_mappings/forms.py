"""What shorter forms of a resource keep, from the table that `definitions.build_summary` makes.

https://hl7.org/fhir/R4/search.html#summary
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from service.fhir.mapping import Forms

TABLE = Path(__file__).parent / "definitions" / "summary.json"


@cache
def _table() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(TABLE.read_text(encoding="utf-8"))
    return found


@cache
def forms_of(resource_type: str) -> Forms:
    """Return what `_summary` and `_elements` keep of this type."""
    entry = _table().get(resource_type, {"kept": (), "summary": {}})
    return Forms(frozenset(entry["kept"]), entry["summary"])
