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
    """One parameter; `most` is how often it may stand, 0 for any number.

    One that has parts has no type of its own.
    """

    name: str
    type: str
    documentation: str
    least: int = 0
    most: int = 1
    use: Literal["in", "out"] = "in"
    parts: tuple["Parameter", ...] = ()


@dataclass(frozen=True)
class Operation:
    """One operation on one resource type, or on any; `base` is HL7's definition that it narrows.

    `get` tells whether GET executes it too: what has a resource for a parameter is POSTed. `own`
    ones are this project's, HL7 has none; of these one that `changes` something is for people only.
    """

    name: str
    resource: str
    title: str
    description: str
    parameters: tuple[Parameter, ...]
    at_type: bool = True
    at_instance: bool = False
    get: bool = True
    own: bool = False
    changes: bool = False

    @property
    def key(self) -> str:
        """The operation's id, such as Patient-everything."""
        return f"{'Resource' if self.resource == ANY else self.resource}-{self.name}"

    @property
    def base(self) -> str | None:
        return None if self.own else f"{HL7}/{self.key}"

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
    own=True,
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
    own=True,
    changes=True,
)


def _out(name: str, kind: str, documentation: str, most: int = 1) -> Parameter:
    return Parameter(name, kind, documentation, 0, most, "out")


_POINT = (
    _out("observation", "Reference", "The score as an Observation"),
    _out("effective", "dateTime", "When it was answered"),
    _out("value", "decimal", "The score; none where too little was answered for one"),
    _out("band", "string", "Severity band"),
    _out("from-baseline", "decimal", "This less the baseline, in points of the score"),
    _out("from-last", "decimal", "This less the scorable one before"),
)
_FINDING = (
    _out("rule", "code", "The rule's name"),
    _out("kind", "code", "response, remission, important, reliable or improved"),
    _out("says", "string", "The rule in words"),
    _out("source", "string", "Where it comes from"),
    _out("confirmed", "boolean", "False: to be confirmed by a clinician before use"),
    _out("result", "code", "met, not-met, deteriorated or not-applicable"),
    _out("reason", "string", "Why it does not apply"),
)
_SCORE = (
    _out("questionnaire", "canonical", "Whose rules are used"),
    _out("score", "code", "Which score of it"),
    _out("display", "string", "What it is called"),
    _out("direction", "code", "What a higher value is: worse or better"),
    _out("baseline-rule", "code", "enrollment or first, as docs/guide-ehr.md says"),
    _out("baseline", "Reference", "The Observation that is the baseline"),
    _out("last", "Reference", "The newest scorable Observation"),
    _out("not-scorable", "integer", "Answered, and too little for a score"),
    _out("without-rule", "code", "Of what nothing is said: no rule has a source", 0),
    Parameter("finding", "", "Last against baseline by one rule", 0, 0, "out", _FINDING),
    Parameter("point", "", "One response's score, oldest first", 0, 0, "out", _POINT),
)
_ATTENDED = (
    _out("encounter", "Reference", "The attendance as an Encounter"),
    _out("start", "dateTime", "When it began"),
    _out("mark", "code", "present or late"),
)
PROGRESS = Operation(
    "progress",
    "Patient",
    "Scores over time, and what has changed by which rule",
    "Made of the Observations, EpisodesOfCare and Encounters about the patient that the token may"
    " read, and of nothing else. Each rule is reported with its own result, none merged.",
    (
        Parameter("questionnaire", "canonical", "Only the scores of this questionnaire"),
        Parameter("since", "date", "Leave out points before; the baseline stays what it is"),
        Parameter("score", "", "One score over time", 0, 0, "out", _SCORE),
        Parameter("attended", "", "A session that was attended", 0, 0, "out", _ATTENDED),
    ),
    at_type=False,
    at_instance=True,
    own=True,
)

OPERATIONS = (
    EVERYTHING,
    MATCH,
    PROGRESS,
    LASTN,
    VALIDATE,
    EXPAND,
    VALIDATE_CODE,
    VALIDATE_CODE_OF_SYSTEM,
    BREAK_THE_GLASS,
    END_BREAK_THE_GLASS,
)
