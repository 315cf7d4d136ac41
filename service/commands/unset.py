"""What an update leaves alone."""

from dataclasses import fields
from enum import Enum
from typing import Any, Final


class Unset(Enum):
    """The type of `UNSET`, which is not null: null empties a field."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET


def changes(command: Any, *names: str) -> dict[str, Any]:  # noqa: ANN401 - any command
    """Return the fields of an update that were given, of `names` or of all."""
    found = {f.name: getattr(command, f.name) for f in fields(command)}
    return {k: v for k, v in found.items() if v is not UNSET and (not names or k in names)}
