"""The FHIR ids of a caller's own documents (ADR 0003), and those that clients choose (ADR 0010).

https://hl7.org/fhir/R4/datatypes.html#id
"""

import re

from service.access import Access
from service.fhir.audiences import programme_audience
from service.fhir.mapping import Audience

GIVEN = re.compile(r"[0-9a-f]{32}")
ID = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9\-.]{1,64}")  # `.` and `..` are steps of a path


def caller_audience(key: bytes, access: Access) -> Audience:
    """Return the audience that the caller reads as."""
    if access.connection_id is None:
        return programme_audience(key)
    return Audience(
        number=access.audience,
        uid=access.connection_id.hex,
        key=key,
        connection_id=access.connection_id,
    )


def is_given(shown: str) -> bool:
    """Tell whether an id has the form of those that are given here."""
    return GIVEN.fullmatch(shown) is not None


def chosen_source(shown: str) -> str:
    """Return the source of a document whose id its client chose."""
    return f"chosen:{shown}"


def storage_id(audience: Audience, resource_type: str, shown: str) -> str:
    """Return the id under which the document of this audience is stored that clients know so."""
    return shown if is_given(shown) else audience.id(resource_type, chosen_source(shown))
