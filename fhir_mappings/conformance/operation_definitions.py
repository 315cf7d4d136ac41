"""OperationDefinition of each operation: what of HL7's own is offered here, and our own.

https://hl7.org/fhir/R4/operationdefinition.html
"""

from collections.abc import Iterator

from fhir_mappings.conformance.canonical import Resource, computable, definition
from service.fhir.operations.operation import ANY, OPERATIONS, Parameter


def resources() -> Iterator[Resource]:
    """Yield the definitions."""
    for each in OPERATIONS:
        name = computable(each.key)
        said = definition(
            "OperationDefinition", each.definition, name, each.title, each.description
        )
        yield {
            **said,
            "kind": "operation",
            "affectsState": each.changes,
            "code": each.name,
            **({"base": each.base} if each.base else {}),
            "resource": ["Resource" if each.resource == ANY else each.resource],
            "system": False,
            "type": each.at_type,
            "instance": each.at_instance,
            "parameter": [_parameter(one) for one in each.parameters],
        }


def _parameter(parameter: Parameter) -> Resource:
    parts = [_parameter(each) for each in parameter.parts]
    return {
        "name": parameter.name,
        "use": parameter.use,
        "min": parameter.least,
        "max": str(parameter.most) if parameter.most else "*",
        "documentation": parameter.documentation,
        **({"part": parts} if parts else {"type": parameter.type}),
    }
