"""References: to documents of the same audience, or to public ones, and to nothing else.

https://hl7.org/fhir/R4/references.html
"""

from uuid import UUID

from fhir_mappings.datatypes import Element
from service.fhir.mapping import Audience

PROGRAMME = "programme"  # one row, so that references need not know its key


def source(kind: str, key: UUID) -> str:
    return f"{kind}:{key.hex}"


def programme(audience: Audience) -> Element:
    return audience.public.reference("Organization", PROGRAMME)


def facility(audience: Audience, key: UUID) -> Element:
    return audience.reference("Organization", source("facility", key))


def patient(audience: Audience, key: UUID) -> Element:
    return audience.reference("Patient", source("patient", key))


def location(audience: Audience, key: UUID) -> Element:
    return audience.public.reference("Location", source("place", key))


def facilitator(audience: Audience, key: UUID) -> Element:
    """Refer to a facilitator's role; the person is another document, where there is one."""
    return audience.public.reference("PractitionerRole", source("facilitator", key))
