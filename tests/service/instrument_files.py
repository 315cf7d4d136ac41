"""A made-up questionnaire, as an operator would write it: two items, one of them reversed."""

import json
from typing import Any

GARDEN: dict[str, Any] = {
    "id": "garden",
    "version": "1.0.0",
    "url": "https://alongside.example/fhir/Questionnaire/garden",
    "name": "Garden scale",
    "panel": None,
    "panel_display": None,
    "recall": "last week",
    "stem": "In the last week, how often were you in the garden?",
    "ages": None,
    "languages": ["en"],
    "items": [
        {
            "number": 1,
            "link_id": "/garden/1",
            "code": None,
            "text": "Digging",
            "answer_list": "0-2",
        },
        {
            "number": 2,
            "link_id": "/garden/2",
            "code": None,
            "text": "Staying inside",
            "answer_list": "0-2",
            "reverse": True,
        },
        {
            "number": 3,
            "link_id": "/garden/3",
            "code": None,
            "text": "How many weeds",
            "answer_list": "0-2",
            "enable_when": [{"about": "/garden/1", "operator": "!=", "value": 0}],
        },
        {
            "number": 4,
            "link_id": "/garden/4",
            "code": None,
            "text": "How many flowers",
            "answer_list": "0-2",
            "enable_when": [{"about": "/garden/1", "operator": "!=", "value": 0}],
        },
    ],
    "answer_lists": {
        "0-2": [
            {"code": None, "display": "Never", "score": 0},
            {"code": None, "display": "Once", "score": 1},
            {"code": None, "display": "Often", "score": 2},
        ]
    },
    "scores": [
        {
            "id": "total",
            "code": None,
            "display": "Garden total",
            "loinc_display": None,
            "kind": "sum",
            "link_ids": ["/garden/1", "/garden/2"],
            "range": [0, 4],
            "direction": "better",
            "missing_rule": {"kind": "none", "source": "made up"},
            "bands": [
                {"minimum": 0, "maximum": 1, "label": "indoors"},
                {"minimum": 2, "maximum": 4, "label": "outdoors"},
            ],
        },
        {
            "id": "double",
            "code": None,
            "display": "Garden metric score",
            "loinc_display": None,
            "kind": "table",
            "of": "total",
            "range": [10.5, 20.5],
            "direction": "better",
            "missing_rule": {"kind": "none", "source": "made up"},
            "table": {"0": 10.5, "1": 12, "2": 15.5, "3": 18, "4": 20.5},
        },
    ],
    "safety": [{"link_id": "/garden/3", "minimum_score": 2, "note": "made up", "tier": "watch"}],
    "change": [
        {
            "id": "important-2-points",
            "kind": "important",
            "score": "total",
            "thresholds": [{"measure": "points", "value": "2"}],
            "source": "made up",
            "confirmed": False,
        }
    ],
    "caseness": [],
    "licence": {
        "statement": "Made up for a test.",
        "attribution": "",
        "loinc_notice": None,
        "source": "made up",
        "text_may_ship": True,
    },
    "us_core_category": None,
    "other_canonicals": [],
    "other_link_ids": {},
    "verification": {"verified": False, "note": "made up"},
    "gaps": [],
    "sources": ["made up"],
}


def garden(**changes: Any) -> str:
    """Return the text of the file with these keys changed."""
    return json.dumps(GARDEN | changes)
