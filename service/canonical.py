"""The base of every canonical address of ours, read once when the process starts.

Codes, extensions, identifier systems and definitions are named under it, so it cannot differ
between two parts of one process. https://hl7.org/fhir/R4/resource.html#canonical
"""

from typing import Final

from service.settings import DEFAULT_CANONICAL_BASE, Canonical

BASE: Final = Canonical().canonical_base


def rebased(text: str) -> str:
    """Return a definition that is written under the default base, under ours."""
    return text.replace(DEFAULT_CANONICAL_BASE, BASE)
