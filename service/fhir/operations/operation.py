"""What each operation is called, on what, and with which parameters: the table that executes.

Routes, CapabilityStatement, OpenAPI and OperationDefinitions are made from it.
https://hl7.org/fhir/R4/operations.html
"""

from dataclasses import dataclass
from typing import Literal

from service import canonical

ANY = "*"
HL7 = "http://hl7.org/fhir/OperationDefinition"


@dataclass(frozen=True)
class Parameter:
    """One parameter; `most` is how often it may stand, 0 for any number."""

    name: str
    type: str
    documentation: str
    least: int = 0
    most: int = 1
    use: Literal["in", "out"] = "in"


@dataclass(frozen=True)
class Operation:
    """One operation on one resource type, or on any; `base` is HL7's definition that it narrows.

    `get` tells whether GET executes it too: what has a resource for a parameter is POSTed. One that
    `changes` something is ours, and for people only.
    """

    name: str
    resource: str
    title: str
    description: str
    parameters: tuple[Parameter, ...]
    at_type: bool = True
    at_instance: bool = False
    get: bool = True
    changes: bool = False

    @property
    def key(self) -> str:
        """The operation's id, such as Patient-everything."""
        return f"{'Resource' if self.resource == ANY else self.resource}-{self.name}"

    @property
    def base(self) -> str | None:
        return None if self.changes else f"{HL7}/{self.key}"

    @property
    def definition(self) -> str:
        """What is offered here, by the OperationDefinition that says so."""
        return f"{canonical.BASE}/OperationDefinition/{self.key}"

    @property
    def inputs(self) -> frozenset[str]:
        return frozenset(each.name for each in self.parameters if each.use == "in")

    def on(self, resource_type: str) -> bool:
        return self.resource in {ANY, resource_type}


_BUNDLE = Parameter("return", "Bundle", "A searchset", 1, use="out")
_COUNT = Parameter("_count", "integer", "How many resources a page has")

EVERYTHING = Operation(
    "everything",
    "Patient",
    "Everything about a patient",
    "The Patient, the documents about the patient that the token may read, and the practitioners,"
    " organizations and locations that they refer to. A Group is never part of it.",
    (
        Parameter("start", "date", "Leave out what is dated before; what has no date stays"),
        Parameter("end", "date", "Leave out what is dated after; what has no date stays"),
        Parameter("_since", "instant", "Only what changed at or after this moment"),
        Parameter("_type", "code", "The types wanted, separated by commas", most=0),
        _COUNT,
        _BUNDLE,
    ),
    at_type=False,
    at_instance=True,
)
MATCH = Operation(
    "match",
    "Patient",
    "Find a patient by what is known of them",
    "Grades the patients whom the caller may read, and no others, by fixed weights on identifier,"
    " family and given name, birth date, gender, phone and postal code.",
    (
        Parameter("resource", "Patient", "What is known of the person", 1),
        Parameter("onlyCertainMatches", "boolean", "Answer with one certain match, or none"),
        Parameter("count", "integer", "The most that are answered"),
        _BUNDLE,
    ),
    get=False,
)
LASTN = Operation(
    "lastn",
    "Observation",
    "The newest observations of each code",
    "Takes every search parameter of Observation besides; `patient` or `subject` must be given.",
    (
        Parameter("max", "positiveInt", "How many of each code, 1 unless it is said"),
        Parameter("patient", "string", "Whose observations; or `subject`"),
        Parameter("subject", "string", "Whose observations; or `patient`"),
        Parameter("category", "string", "As in a search"),
        Parameter("code", "string", "As in a search"),
        _BUNDLE,
    ),
)
VALIDATE = Operation(
    "validate",
    ANY,
    "Judge a resource",
    "Says what would be wrong with a resource, or with what is to be done with it. Nothing is"
    " written. Without a resource the stored one is judged.",
    (
        Parameter("resource", "Any", "The resource; it may also be the body itself"),
        Parameter("mode", "code", "create, update, delete or profile"),
        Parameter("profile", "uri", "The profile to judge it by"),
        Parameter("return", "OperationOutcome", "What was found", 1, use="out"),
    ),
    at_instance=True,
)
EXPAND = Operation(
    "expand",
    "ValueSet",
    "The codes of a value set",
    "Of the value sets that are carried; one is named by its address or by its id.",
    (
        Parameter("url", "uri", "The canonical address, where no id is given"),
        Parameter("valueSetVersion", "string", "The version of the value set"),
        Parameter("filter", "string", "Only codes with this text in the code or display"),
        Parameter("offset", "integer", "How many to pass over"),
        Parameter("count", "integer", "How many to answer"),
        Parameter("return", "ValueSet", "The value set with its expansion", 1, use="out"),
    ),
    at_instance=True,
)
_CODED = (
    Parameter("code", "code", "The code, with its system"),
    Parameter("display", "string", "Judged too, where displays are carried"),
    Parameter("coding", "Coding", "The code as a Coding"),
    Parameter("codeableConcept", "CodeableConcept", "Valid where one of its codings is"),
    Parameter("result", "boolean", "Whether it is valid", 1, use="out"),
    Parameter("message", "string", "Why it is not", use="out"),
    Parameter("display", "string", "The right display, where it is carried", use="out"),
)
VALIDATE_CODE = Operation(
    "validate-code",
    "ValueSet",
    "Whether a code is in a value set",
    "Of the value sets that are carried; one is named by its address or by its id.",
    (
        Parameter("url", "uri", "The canonical address, where no id is given"),
        Parameter("valueSetVersion", "string", "The version of the value set"),
        Parameter("system", "uri", "The system of the code"),
        *_CODED,
    ),
    at_instance=True,
)
VALIDATE_CODE_OF_SYSTEM = Operation(
    "validate-code",
    "CodeSystem",
    "Whether a code is in a code system",
    "Of the code systems of which every code is carried.",
    (Parameter("url", "uri", "The address of the system, where no id is given"), *_CODED),
    at_instance=True,
)
BREAK_THE_GLASS = Operation(
    "break-the-glass",
    "Patient",
    "See one patient's data beyond the ceiling, in an emergency",
    "For a person (user/ scopes) of a hospital. For some minutes what is labelled above the ceiling"
    " of this person is answered too, about this patient only. A Group, another patient and what a"
    " consent withholds stay closed. The privacy officer reviews each.",
    (
        Parameter("purpose", "code", "ETREAT or BTG, of v3-ActReason", 1),
        Parameter("reason", "string", "Why, in 10 to 1000 characters; kept encrypted", 1),
        Parameter("until", "instant", "When it ends", 1, use="out"),
    ),
    at_type=False,
    at_instance=True,
    get=False,
    changes=True,
)
END_BREAK_THE_GLASS = Operation(
    "end-break-the-glass",
    "Patient",
    "End it before its time",
    "Ends what this person has open about the patient.",
    (Parameter("ended", "unsignedInt", "How many times were open", 1, use="out"),),
    at_type=False,
    at_instance=True,
    get=False,
    changes=True,
)

OPERATIONS = (
    EVERYTHING,
    MATCH,
    LASTN,
    VALIDATE,
    EXPAND,
    VALIDATE_CODE,
    VALIDATE_CODE_OF_SYSTEM,
    BREAK_THE_GLASS,
    END_BREAK_THE_GLASS,
)
