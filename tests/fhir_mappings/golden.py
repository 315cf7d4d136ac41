"""Writes the golden files: `python -m tests.fhir_mappings.golden`.

A golden file is a document as it is served. What a mapping of the same revision wrote before
is not overwritten by something else: raise `revision` in fhir_mappings/registry.py first.
"""

import json
import sys
from pathlib import Path

from service.models.enrollments import AttendanceMark
from service.models.groups import Sensitivity, SessionStatus
from tests.fhir_mappings import fixed_facts as f

FOLDER = Path(__file__).parents[1] / "data" / "golden"
REVISIONS = FOLDER.with_name("golden-revisions.json")

CASES = {
    "programme": ("programme", f.PROGRAMME_FACTS, f.OF_PUBLIC),
    "facility": ("facility", f.FACILITY, f.OF_A),
    "facilitator": ("facilitator", f.FACILITATOR, f.OF_PUBLIC),
    "place": ("place", f.PLACE, f.OF_PUBLIC),
    "phq-9": ("instrument", f.PHQ9, f.OF_PUBLIC),
    "gad-7": ("instrument", f.GAD7, f.OF_PUBLIC),
    "group": ("group", f.group(), f.OF_PUBLIC),
    "roster": ("roster", f.roster(), f.OF_A),
    "patient": ("patient", f.patient(), f.OF_A),
    "patient-sender": ("patient", f.patient(sent_by=frozenset({f.HOSPITAL_A})), f.OF_NOTHING),
    "patient-programme": ("patient", f.patient(), f.OF_PROGRAMME),
    "patient-merged": ("patient", f.patient(merged_into_id=f.OTHER), f.OF_PROGRAMME),
    "patient-survivor": ("patient", f.patient(replaces=(f.OTHER,)), f.OF_PROGRAMME),
    "enrollment": ("enrollment", f.enrollment(), f.OF_A),
    "enrollment-offered": ("enrollment", f.offered(), f.OF_A),
    "enrollment-named": ("enrollment", f.enrollment(part2=True), f.OF_NAMED_A),
    "visit": ("visit", f.visit(AttendanceMark.LATE), f.OF_A),
    "visit-named": ("visit", f.visit(), f.OF_NAMED_A),
    "visit-excused": ("visit", f.visit(AttendanceMark.EXCUSED), f.OF_A),
    "visit-cancelled": (
        "visit", f.visit(None, status=SessionStatus.CANCELLED, cancel_reason="Snow"),
        f.OF_PROGRAMME,
    ),
    "response": ("response", f.response(), f.OF_A),
    "response-unscored": ("response", f.sent_response(), f.OF_PROGRAMME),
    "response-sender": ("response", f.sent_response(), f.OF_NOTHING),
    "alert": ("alert", f.safety(), f.OF_A),
    "alert-reported": ("alert", f.safety(response_id=None, stepped_up_at=None), f.OF_PROGRAMME),
    "measurement": ("measurement", f.measurement(), f.OF_PROGRAMME),
    "measurement-part2": (
        "measurement",
        f.measurement(
            f.occasion(instrument="audit-c"), sensitivity=Sensitivity.SUBSTANCE_USE, part2=True
        ),
        f.OF_PROGRAMME,
    ),
    "consent": ("consent", f.consent(), f.OF_A),
}  # fmt: skip


def documents():
    """Yield each golden file's name, its mapping and its document."""
    for name, (kind, facts, view) in CASES.items():
        for mapping in f.REGISTRY.by_kind[kind]:
            for number, draft in enumerate(mapping.render(facts, view)):
                nth = f"-{number}" if number else ""
                part = "-answer" if mapping.render.__name__ == "render_answers" else ""
                file = f"{draft.type}-{name}{part}{nth}.json"
                yield file, key(mapping), f.document(draft, view.audience)


def key(mapping):
    return f"{mapping.type} of {mapping.kind} by {mapping.render.__name__}"


def revisions():
    return {key(mapping): mapping.revision for mapping in f.REGISTRY.mappings}


def text(document):
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def main():
    known = json.loads(REVISIONS.read_text()) if REVISIONS.exists() else {}
    now = revisions()
    for file, mapping, document in documents():
        path, new = FOLDER / file, text(document)
        changed = path.exists() and path.read_text() != new
        if changed and known.get(mapping) == now[mapping]:
            sys.exit(f"{file} changes: raise the revision of {mapping} first")
        path.write_text(new)
    REVISIONS.write_text(text(now))


if __name__ == "__main__":
    main()
