"""The operations as the matrix of access asks them: where, by which letters, with what.

https://hl7.org/fhir/R4/operations.html
"""

from dataclasses import dataclass
from typing import Any

from service.fhir.operations.operation import (
    EVERYTHING,
    EXPAND,
    LASTN,
    MATCH,
    PROGRESS,
    VALIDATE,
    VALIDATE_CODE,
    VALIDATE_CODE_OF_SYSTEM,
)
from tests.journeys.matrix import TYPES

PERSON = {"resourceType": "Patient", "name": [{"family": "Nobody"}], "birthDate": "1990-01-01"}
CODED = "code=x&system=urn:x"


@dataclass(frozen=True)
class Asked:
    """One way to call an operation; any of the letters lets in. A body has its type filled in."""

    key: str
    type: str
    method: str
    route: str
    letters: str
    body: Any = None

    @property
    def at_instance(self) -> bool:
        return "{id}" in self.route


CALLS = [
    Asked(EVERYTHING.key, "Patient", "GET", "/fhir/Patient/{id}/$everything", "r"),
    Asked(EVERYTHING.key, "Patient", "POST", "/fhir/Patient/{id}/$everything", "r"),
    Asked(PROGRESS.key, "Patient", "GET", "/fhir/Patient/{id}/$progress", "r"),
    Asked(PROGRESS.key, "Patient", "POST", "/fhir/Patient/{id}/$progress", "r"),
    Asked(MATCH.key, "Patient", "POST", "/fhir/Patient/$match", "s", PERSON),
    Asked(LASTN.key, "Observation", "GET", "/fhir/Observation/$lastn?patient={patient}", "s"),
    Asked(EXPAND.key, "ValueSet", "GET", "/fhir/ValueSet/{id}/$expand", "r"),
    Asked(EXPAND.key, "ValueSet", "GET", "/fhir/ValueSet/$expand?url={url}", "r"),
    *(
        Asked(key, name, "GET", f"/fhir/{name}/{where}", "r")
        for key, name in (
            (VALIDATE_CODE.key, "ValueSet"),
            (VALIDATE_CODE_OF_SYSTEM.key, "CodeSystem"),
        )
        for where in (
            f"{{id}}/$validate-code?{CODED}",
            f"$validate-code?url={{url}}&{CODED}",
        )
    ),
    *(
        call
        for name in TYPES
        for call in (
            Asked(VALIDATE.key, name, "GET", f"/fhir/{name}/{{id}}/$validate", "r"),
            Asked(
                VALIDATE.key, name, "POST", f"/fhir/{name}/$validate", "cru",
                {"resourceType": name},
            ),
        )
    ),
]  # fmt: skip
# There is none on the system; a row all the same, for the route there is.
ROWS = [
    *((each.route, each.method, each.letters) for each in CALLS),
    ("/fhir/Patient/{id}/$break-the-glass", "POST", ""),
    ("/fhir/Patient/{id}/$end-break-the-glass", "POST", ""),
    ("/fhir/$nothing", "GET", ""),
    ("/fhir/$nothing", "POST", ""),
]
