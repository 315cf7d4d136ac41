"""Whom to call in a crisis, by country: data, each with its source.

A country that is not there has none: the operator's crisis text says whom to call.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from sqlmodel import Session

CRISIS_COUNTRY = "crisis_country"  # in a session's info


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A service, and how it is reached."""

    name: str
    how: str
    source: str


@cache
def resources(country: str) -> tuple[Resource, ...]:
    """Return what is known of a country, ISO 3166."""
    known = json.loads((files(__package__) / "crisis.json").read_text(encoding="utf-8"))
    return tuple(Resource(**each) for each in known.get(country, {}).get("resources", ()))


def resources_of(session: Session) -> tuple[Resource, ...]:
    """Return those of the operator's country."""
    return resources(session.info.get(CRISIS_COUNTRY, ""))
