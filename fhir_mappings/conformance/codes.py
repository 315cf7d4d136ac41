"""CodeSystem and ValueSet of each system of ours in `fhir_mappings.codes`.

https://hl7.org/fhir/R4/codesystem.html
"""

from collections.abc import Iterator

from fhir_mappings import codes
from fhir_mappings.codes import LOCAL, OURS, Code
from fhir_mappings.conformance.canonical import VERSION, Resource, computable, definition
from fhir_mappings.instrument_codes import own_codes
from service.models.enrollments import AttendanceMark

__all__ = ["VERSION", "resources", "systems", "value_set_of"]

ATTENDANCE_MARKS = f"{LOCAL}/attendance-mark"
TITLES = {
    "attendance-mark": ("Attendance mark", "How somebody who came took part in a session."),
    "consent-category": ("Consent category", "What a person permits or denies a hospital to read."),
    "facilitation": ("Facilitation", "Who leads a support group."),
    "facilitator-role": ("Facilitator role", "In which role somebody leads a support group."),
    "flag": ("Flag", "What a Flag asks a reader to do."),
    "instrument": (
        "Questionnaire",
        "Questionnaires, items and scores for which no LOINC code was found.",
    ),
    "instrument-answer": (
        "Questionnaire answer",
        "Answers for which no LOINC code was found, by questionnaire, list and number.",
    ),
    "modality": ("Modality", "How a support group meets."),
    "participation-type": ("Participation type", "What an EpisodeOfCare stands for."),
    "session-type": ("Session type", "What an Appointment or Encounter of a group is."),
    "severity-band": (
        "Severity band",
        "The band of a questionnaire's total, as its authors named it.",
    ),
}
SHOWN = {"present": "Present", "late": "Came late"}


def systems() -> Iterator[tuple[str, tuple[Code, ...]]]:
    """Yield each code system of ours with its codes."""
    found: dict[str, dict[str, Code]] = {}
    for code in _all_codes():
        if code.system.startswith(f"{LOCAL}/"):
            found.setdefault(code.system, {}).setdefault(code.code, code)
    for system in sorted(found):
        yield system, tuple(found[system].values())


def _all_codes() -> Iterator[Code]:
    for value in vars(codes).values():
        if isinstance(value, Code):
            yield value
        elif isinstance(value, dict):
            yield from (each for each in value.values() if isinstance(each, Code))
    yield from own_codes()
    for mark in AttendanceMark:
        if mark.value in SHOWN:
            yield Code(ATTENDANCE_MARKS, mark.value, SHOWN[mark.value])


def value_set_of(system: str) -> str:
    """Return the value set that holds every code of one of our systems."""
    return f"{OURS}/ValueSet/{system.rpartition('/')[2]}"


def resources() -> Iterator[Resource]:
    """Yield the CodeSystem and the ValueSet of each system."""
    for system, found in systems():
        name = system.rpartition("/")[2]
        title, description = TITLES[name]
        yield {
            **definition("CodeSystem", system, computable(name), title, description),
            "caseSensitive": True,
            "valueSet": value_set_of(system),
            "content": "complete",
            "count": len(found),
            "concept": [{"code": each.code, "display": each.display} for each in found],
        }
        yield {
            **definition("ValueSet", value_set_of(system), computable(name), title, description),
            "compose": {"include": [{"system": system}]},
        }
