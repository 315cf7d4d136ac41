"""The demo's files, read once: people, names of facilitators, towns."""

import json
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from service.commands import CreatePatient, PostalAddress
from service.models.patients import Gender


@cache
def people() -> tuple[tuple[str, CreatePatient], ...]:
    """Return everyone with a key that never changes, in order of key."""
    return tuple((row.pop("id"), _person(row)) for row in _rows("patients.json"))


def _person(row: dict[str, Any]) -> CreatePatient:
    return CreatePatient(
        gender=Gender(row.pop("gender")),
        birth_date=date.fromisoformat(row.pop("birth_date")),
        extensions=tuple(row.pop("extensions")),
        **row,
    )


@cache
def towns() -> tuple[PostalAddress, ...]:
    return tuple(PostalAddress(country="US", **row) for row in _rows("towns.json"))


@cache
def names() -> tuple[tuple[str, str], ...]:
    """Return family and given name of everyone who may lead a group."""
    return tuple((row["family"], row["given"]) for row in _rows("practitioners.json"))


def _rows(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((files(__package__) / name).read_text("utf-8"))
    return found
