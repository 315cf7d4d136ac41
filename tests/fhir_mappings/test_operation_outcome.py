"""Errors and warnings as OperationOutcomes.

https://hl7.org/fhir/R4/operationoutcome.html
"""

import pytest

from fhir_mappings.operation_outcome import from_error, warning
from fhir_mappings.structure import validate
from service import errors

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type)
    and issubclass(kind, errors.AlongsideError)
    and kind not in {errors.InvalidElementsError, errors.UnmergeableError}
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_is_an_outcome_with_its_code(kind):
    found = from_error(kind("it broke", element="Patient.name"))
    assert validate(found) == []
    assert found["issue"] == [
        {
            "severity": "error",
            "code": kind.code,
            "details": {"text": kind.title},
            "diagnostics": "it broke",
            "expression": ["Patient.name"],
        }
    ]


def test_each_problem_is_an_issue():
    problems = (errors.Problem("A.b", "one", "value"), errors.Problem("", "two"))
    found = from_error(errors.InvalidElementsError(problems))
    assert [issue["code"] for issue in found["issue"]] == ["value", "invalid"]
    assert "expression" not in found["issue"][1]


def test_crisis_text_is_a_warning():
    found = warning("Call 988 now.")
    assert validate(found) == []
    assert found["issue"][0]["severity"] == "warning"
    assert found["issue"][0]["details"]["text"] == "Call 988 now."
