"""OperationOutcomes that the engine itself says, as plain dicts.

https://hl7.org/fhir/R4/operationoutcome.html
"""

from collections.abc import Iterable
from typing import Any

from service.errors import Problem

Outcome = dict[str, Any]


def outcome(*issues: dict[str, Any]) -> Outcome:
    return {"resourceType": "OperationOutcome", "issue": list(issues)}


def issue(severity: str, code: str, text: str, *, expression: str = "") -> dict[str, Any]:
    """Return one issue; `text` is for people, as `details.text`."""
    found: dict[str, Any] = {"severity": severity, "code": code, "details": {"text": text}}
    if expression:
        found["expression"] = [expression]
    return found


def warnings(problems: Iterable[Problem]) -> Outcome:
    """Return what was left aside: each parameter with the reason."""
    return outcome(
        *(
            {
                "severity": "warning",
                "code": problem.code,
                "diagnostics": f"{problem.element}: {problem.rule}",
            }
            for problem in problems
        )
    )
