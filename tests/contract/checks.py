"""Checks of our own for schemathesis, which loads this module by its name.

https://schemathesis.readthedocs.io/en/stable/reference/python/
"""

from typing import Any

import schemathesis

FORM = 422


@schemathesis.check
def positive_form_acceptance(_ctx: Any, response: Any, case: Any) -> None:
    """What has the documented form may be refused by a rule of the domain, not for its form."""
    if not case.path.startswith("/v1/") or response.status_code != FORM or _is_negative(case):
        return
    codes = {each["code"] for each in response.json().get("errors", ())}
    if codes != {"business-rule"}:
        raise AssertionError(f"the documented form was refused: {response.text}")


def _is_negative(case: Any) -> bool:
    return case.meta is None or any(part.mode.is_negative for part in case.meta.components.values())
