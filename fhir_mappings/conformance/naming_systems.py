"""NamingSystem of each identifier system of ours; R4 gives them no address of their own.

https://hl7.org/fhir/R4/namingsystem.html
"""

from collections.abc import Iterator

from fhir_mappings.codes import IDENTIFIERS, OURS
from fhir_mappings.conformance.canonical import DATE, PUBLISHER, Resource, computable

ABOUT = {
    "facilitator": "A facilitator: a keyed pseudonym, another for each reader.",
    "patient": "A person, to the programme alone: a keyed pseudonym, never shown to a hospital.",
    "session": "A session of a group: a keyed pseudonym, another for each reader.",
}


def canonical(name: str) -> str:
    """Return what we call the definition of an identifier system."""
    return f"{OURS}/NamingSystem/{name}"


def resources() -> Iterator[Resource]:
    """Yield the definitions."""
    for name, about in ABOUT.items():
        yield {
            "resourceType": "NamingSystem",
            "id": name,
            "name": f"{computable(name)}Identifier",
            "status": "active",
            "kind": "identifier",
            "date": DATE,
            "publisher": PUBLISHER,
            "description": about,
            "uniqueId": [{"type": "uri", "value": f"{IDENTIFIERS}/{name}", "preferred": True}],
        }
