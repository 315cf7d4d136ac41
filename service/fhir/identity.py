"""The FHIR ids of a caller's own documents (ADR 0003)."""

from service.access import Access
from service.fhir.audiences import programme_audience
from service.fhir.mapping import Audience


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


def audience_id(key: bytes, access: Access, resource_type: str, source: str) -> str:
    return caller_audience(key, access).id(resource_type, source)
