"""The notice that goes with each disclosure of records under 42 CFR Part 2.

It is the short statement of 42 CFR 2.32(a)(2), in the wording of 89 FR 12472: for payloads,
documents and pages alike. https://www.ecfr.gov/current/title-42/section-2.32
"""

from typing import Any

NOTICE = "42 CFR part 2 prohibits unauthorized use or disclosure of these records."
# https://terminology.hl7.org/CodeSystem-v3-ActCode.html: the law, and the refrain policy.
PART_2 = "42CFRPart2"
NO_REDISCLOSURE = "NORDSCLCD"
# A mark on `meta` that whoever renders the resource must show.
DISPLAY = "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-display"


def notice(*, part2: bool) -> str | None:
    """Return what a document or page must say, if anything."""
    return NOTICE if part2 else None


def display_mark() -> dict[str, Any]:
    """Return the extension of `meta` that carries the notice."""
    return {"url": DISPLAY, "valueAnnotation": {"text": NOTICE}}
