"""Which scopes can be granted here: well-formed, for a client without a user, and executable.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

from collections.abc import Sequence

from service.access import require_scope
from service.errors import ValueSetError
from service.fhir.mapping import Registry
from service.fhir.scope_limits import require_executable

LONGEST_NAME = 100


def require_grantable(names: Sequence[str], registry: Registry) -> None:
    """Refuse what no token could be given.

    Raises:
        ValueSetError: which scope, and why.
    """
    scopes = []
    for name in names:
        try:
            found = require_scope(name)
            if found is not None:
                require_executable([found], registry)
                scopes.append(found)
        except ValueSetError as error:
            said = f"{name[:LONGEST_NAME]} cannot be granted: {error.message}"
            raise ValueSetError(said, element="scopes") from None
    require_executable(scopes, registry)
