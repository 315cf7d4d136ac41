"""ValueSet/$expand: the codes of a set that is carried.

https://hl7.org/fhir/R4/valueset-operation-expand.html
"""

from typing import Any

import orjson

from service.errors import ForbiddenError, InvalidElementsError, NotFoundError
from service.fhir.document_bytes import instant
from service.fhir.endpoint import Answer, require
from service.fhir.index_values import folded
from service.fhir.interactions.read import current
from service.fhir.operations.call import Call
from service.fhir.operations.operation import EXPAND
from service.fhir.terminology import Concept, ValueSet, terminology_of

NOT_CARRIED = "the value set is not one that is carried here"


async def expand(call: Call) -> Answer:
    """Return the set with its expansion, or a page of it."""
    require(call.access, "ValueSet", "r")
    inputs = call.inputs
    if call.strict and (unknown := inputs.unknown(EXPAND.inputs)):
        raise InvalidElementsError(unknown)
    url, found = await value_set(call)
    concepts = terminology_of(call.endpoint.registry).concepts(found)
    if text := inputs.one("filter"):
        wanted = folded(text)
        concepts = [c for c in concepts if wanted in folded(c.code) or wanted in folded(c.display)]
    offset, count = inputs.number("offset") or 0, inputs.number("count")
    page = concepts[offset:] if count is None else concepts[offset : offset + count]
    expansion: dict[str, Any] = {
        "timestamp": instant(call.endpoint.rules().now),
        "total": len(concepts),
        "offset": offset,
    }
    if page:
        expansion["contains"] = [_contained(concept) for concept in page]
    resource = {
        "resourceType": "ValueSet",
        "url": url,
        "version": found.version,
        "status": "active",
        "expansion": expansion,
    }
    return Answer(200, orjson.dumps(resource))


def require_whole(call: Call, name: str) -> None:
    """Raise ForbiddenError where the token grants some resources of the type only.

    What is asked by its address is no resource, which a scope could judge.
    """
    if call.access.queries(name, "r") is not None:
        raise ForbiddenError(f"the token grants system/{name}.r on some only: ask by id")


def _contained(concept: Concept) -> dict[str, str]:
    return {name: value for name, value in concept._asdict().items() if value}


async def value_set(call: Call) -> tuple[str, ValueSet]:
    """Return the set that the call names, by its address or its id.

    Raises:
        NotFoundError: it is not carried.
    """
    if call.id is not None:
        answer = await current(call.endpoint, call.access, "ValueSet", call.id)
        url = orjson.loads(answer.body).get("url", "")
    else:
        require_whole(call, "ValueSet")
        url = call.inputs.needed("url")
    version = call.inputs.one("valueSetVersion")
    canonical = f"{url}|{version}" if version and "|" not in url else url
    found = terminology_of(call.endpoint.registry).find(canonical)
    if found is None:
        raise NotFoundError(NOT_CARRIED, element="url")
    return url.partition("|")[0], found
