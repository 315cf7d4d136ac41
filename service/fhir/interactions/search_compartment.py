"""FHIR compartment search: what is about one patient, of one type or of all.

https://hl7.org/fhir/R4/http.html#vsearch
"""

from dataclasses import replace

from service.access import Access
from service.errors import ForbiddenError, NotFoundError
from service.fhir.compartments import PARAMETERS, PATIENT, within
from service.fhir.endpoint import Answer, Endpoint, absent, require
from service.fhir.interactions.read import current, stored_id
from service.fhir.search_plan import Pairs, Plan
from service.fhir.searchset import searchset
from service.fhir.several_types import asked_types, plans_of

EVERY = "*"


async def search_compartment(
    endpoint: Endpoint,
    access: Access,
    compartment: tuple[str, str],
    name: str,
    *,
    pairs: Pairs,
    strict: bool = False,
) -> Answer:
    """Return one page; `compartment` is the type and id of whom it is about.

    Raises:
        NotFoundError: the caller sees no such patient, or the type is in no compartment.
        ForbiddenError: the token may not read patients.
    """
    kind, document_id = compartment
    among = [each for each in PARAMETERS if each in endpoint.registry.by_type]
    if kind != PATIENT:
        raise absent(kind)
    if name not in {*among, EVERY}:
        raise NotFoundError("this resource type is not in the compartment of a Patient")
    if not (access.may(PATIENT, "r") or access.may(PATIENT, "s")):
        raise ForbiddenError("the token does not grant reading Patient")
    if name != EVERY:
        require(access, name, "s")
    about = await current(endpoint, access, PATIENT, document_id, "rs")
    kinds = asked_types(endpoint, access, pairs, among if name == EVERY else [name])
    stored = stored_id(endpoint, access, PATIENT, document_id)
    plans = [
        _of(endpoint, access, plan, stored)
        for plan in plans_of(endpoint, access, kinds, pairs, strict=strict)
    ]
    path = f"{endpoint.base}/{PATIENT}/{document_id}/{name}"
    found = await searchset(endpoint, access, path, plans)
    return replace(found, patients={*found.patients, *about.patients})


def _of(endpoint: Endpoint, access: Access, plan: Plan, patient: str) -> Plan:
    where = endpoint.audiences(plan.kind.name, access)
    return plan.also(within(plan.kind.name, patient, where))
