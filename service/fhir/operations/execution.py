"""From an address to the operation that it names.

https://hl7.org/fhir/R4/operations.html#request
"""

from collections.abc import Awaitable, Callable

from service.errors import NotSupportedError
from service.fhir.endpoint import Answer
from service.fhir.operations.break_glass import break_the_glass, end_break_the_glass
from service.fhir.operations.call import Call
from service.fhir.operations.everything import everything
from service.fhir.operations.expand import expand
from service.fhir.operations.lastn import lastn
from service.fhir.operations.match import match
from service.fhir.operations.operation import (
    BREAK_THE_GLASS,
    END_BREAK_THE_GLASS,
    EVERYTHING,
    EXPAND,
    LASTN,
    MATCH,
    OPERATIONS,
    PROGRESS,
    VALIDATE,
    VALIDATE_CODE,
    VALIDATE_CODE_OF_SYSTEM,
    Operation,
)
from service.fhir.operations.progress import progress
from service.fhir.operations.validate import validate
from service.fhir.operations.validate_code import validate_code, validate_code_of_system

Execute = Callable[[Call], Awaitable[Answer]]

EXECUTED: dict[str, Execute] = {
    EVERYTHING.key: everything,
    MATCH.key: match,
    PROGRESS.key: progress,
    LASTN.key: lastn,
    VALIDATE.key: validate,
    EXPAND.key: expand,
    VALIDATE_CODE.key: validate_code,
    VALIDATE_CODE_OF_SYSTEM.key: validate_code_of_system,
    BREAK_THE_GLASS.key: break_the_glass,
    END_BREAK_THE_GLASS.key: end_break_the_glass,
}


def operation(name: str, resource_type: str | None, *, instance: bool, get: bool) -> Operation:
    """Return the operation.

    Raises:
        NotSupportedError: it is not offered there, or not by GET.
    """
    for each in OPERATIONS:
        if each.name == name and resource_type is not None and each.on(resource_type):
            if not (each.at_instance if instance else each.at_type):
                level = "one resource" if each.at_instance else "the type"
                raise NotSupportedError(f"${name} is offered on {level} only")
            if get and not _by_get(each, instance=instance):
                raise NotSupportedError(f"${name} is offered by POST only")
            return each
    raise NotSupportedError("this operation is not offered here")


def _by_get(found: Operation, *, instance: bool) -> bool:
    """Tell whether GET executes it: what needs a resource has it in the body."""
    return found.get and (instance or found is not VALIDATE)


async def execute(found: Operation, call: Call) -> Answer:
    return await EXECUTED[found.key](call)
