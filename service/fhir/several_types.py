"""A search of several types at once: by the parameters that all of them have.

https://hl7.org/fhir/R4/search.html#searchcontexts
"""

from collections.abc import Sequence

from service.access import Access
from service.errors import ForbiddenError, InvalidError
from service.fhir.endpoint import Endpoint, require
from service.fhir.mapping import ResourceType
from service.fhir.search_parameters import read_query, require_bounded
from service.fhir.search_plan import Pairs, Plan
from service.fhir.search_results import CURSOR

TYPE = "_type"


def asked_types(
    endpoint: Endpoint, access: Access, pairs: Pairs, among: Sequence[str]
) -> list[ResourceType]:
    """Return the types that `_type` names, or all of these that the token may search.

    Raises:
        InvalidError: `_type` names one that is not among them.
        ForbiddenError: the token may not search one, or may search none.
    """
    by_type = endpoint.registry.by_type
    named = [name for key, value in pairs if key == TYPE for name in value.split(",")]
    for name in named:
        if name not in among:
            raise InvalidError("must name resource types that are searched here", element=TYPE)
        require(access, name, "s")
    names = dict.fromkeys(named) or [name for name in among if access.may(name, "s")]
    if not names:
        raise ForbiddenError("the token grants searching none of these resource types")
    return [by_type[name] for name in names]


def plans_of(
    endpoint: Endpoint,
    access: Access,
    kinds: Sequence[ResourceType],
    pairs: Pairs,
    *,
    strict: bool,
) -> list[Plan]:
    """Return a plan for each type; what one of them does not have is left aside in all."""
    rules = endpoint.rules(access)
    own = [pair for pair in pairs if pair[0] != TYPE]
    plans = [read_query(kind, own, rules, strict=strict) for kind in kinds]
    ignored = {each.element: each for plan in plans for each in plan.ignored}
    if ignored:
        shared = [
            pair for pair in own if pair[0] == CURSOR or all(pair in plan.used for plan in plans)
        ]
        plans = [read_query(kind, shared, rules, strict=False) for kind in kinds]
    require_bounded(plans)
    named = tuple(pair for pair in pairs if pair[0] == TYPE)
    return [
        plan._replace(used=(*named, *plan.used), ignored=tuple(ignored.values())) for plan in plans
    ]
