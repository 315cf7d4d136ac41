"""OperationOutcome: errors as FHIR tells them, and warnings beside a success.

https://hl7.org/fhir/R4/operationoutcome.html
"""

from collections.abc import Sequence

from fhir_mappings.datatypes import Element, present
from service.errors import AlongsideError, Problem


def from_error(error: AlongsideError) -> Element:
    """Return one issue for each problem; `details` says what failed, `diagnostics` which rule."""
    return outcome([_issue("error", problem, error.title) for problem in error.problems])


def warning(text: str, diagnostics: str | None = None) -> Element:
    """Return a warning beside a success, such as the crisis text in the reply to a response."""
    return outcome([_issue("warning", Problem("", diagnostics or text, "informational"), text)])


def outcome(issues: Sequence[Element]) -> Element:
    return {"resourceType": "OperationOutcome", "issue": list(issues)}


def _issue(severity: str, problem: Problem, text: str) -> Element:
    return present(
        {
            "severity": severity,
            "code": problem.code,
            "details": {"text": text},
            "diagnostics": problem.rule,
            "expression": [problem.element] if problem.element else None,
        }
    )
