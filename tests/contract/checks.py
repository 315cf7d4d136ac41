"""Checks of our own for schemathesis, which loads this module by its name.

https://schemathesis.readthedocs.io/en/stable/extending/checks/
"""

from typing import Any

import schemathesis

FORM = 422
STATE = "The present state forbids this"


@schemathesis.check
def positive_form_acceptance(_ctx: Any, response: Any, case: Any) -> None:
    """What has the documented form may be refused by a rule of the domain, not for its form."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if case.path.startswith("/v1/") and response.status_code == FORM:
        problem = response.json()
        assert problem["title"] == STATE, f"the documented form was refused: {response.text}"
