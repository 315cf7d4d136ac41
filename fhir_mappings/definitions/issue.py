"""What a check finds.

https://hl7.org/fhir/R4/valueset-issue-type.html
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Issue:
    """One broken rule; diagnostics name the element and the rule, never the value."""

    severity: str
    code: str
    expression: str
    diagnostics: str
