"""Every definition of ours: served as resources, and packed for who installs them elsewhere.

https://hl7.org/fhir/R4/conformance-module.html
"""

from collections.abc import Iterator

from fhir_mappings import labels
from fhir_mappings.codes import OURS
from fhir_mappings.conformance import (
    codes,
    extensions,
    naming_systems,
    operation_definitions,
)
from fhir_mappings.conformance.canonical import Resource
from service.fhir.mapping import Draft, View

TYPES = (
    "CodeSystem",
    "NamingSystem",
    "OperationDefinition",
    "StructureDefinition",
    "ValueSet",
)


def definitions() -> list[Resource]:
    """Return every definition, ordered by type and id."""
    found = [
        *codes.resources(),
        *extensions.resources(),
        *naming_systems.resources(),
        *operation_definitions.resources(),
    ]
    return sorted(found, key=lambda each: (each["resourceType"], each["id"]))


def canonical(resource: Resource) -> str:
    """Return what the definition is called, whether or not R4 lets it say so."""
    url: str = resource.get("url", f"{OURS}/{resource['resourceType']}/{resource['id']}")
    return url


def render(resource: Resource, _view: View) -> Iterator[Draft]:
    """Return the definition as a public document."""
    own = {k: v for k, v in resource.items() if k not in {"resourceType", "id"}}
    source = f"definition:{canonical(resource)}"
    yield Draft(resource["resourceType"], source, own, labels.PUBLIC)
