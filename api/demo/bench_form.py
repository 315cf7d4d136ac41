"""The PHQ-9 as this service knows it, for the load generator; bench/README.md says what for."""

import json
from pathlib import Path
from typing import Any

from service.instruments import Instrument, instrument

LOINC = "http://loinc.org"


def write(path: Path) -> None:
    """Write the form to a file."""
    path.write_text(json.dumps(form(instrument("phq-9")), indent=1), encoding="utf-8")


def form(definition: Instrument) -> dict[str, Any]:
    """Return the scored items, each with its codes in order of score."""
    return {
        "questionnaire": definition.canonical,
        "items": [
            {
                "linkId": item.link_id,
                "codes": [
                    {"system": LOINC, "code": answer.code, "display": answer.display}
                    for answer in sorted(item.answers, key=lambda answer: answer.value)
                ],
            }
            for item in definition.scored_items
        ],
    }
