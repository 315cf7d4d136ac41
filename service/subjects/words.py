"""Values of rows in plain words, as the page for the person has them."""

from collections.abc import Callable
from datetime import date, datetime
from enum import Enum
from typing import Any
from uuid import UUID

import orjson
from sqlmodel import Session as DbSession
from sqlmodel import select

from service.instruments import Instrument, instrument
from service.models.base import Row
from service.models.connections import Connection
from service.models.groups import Session, SupportGroup
from service.models.rules import RulesVersion

Names = dict[UUID, str]
NOTHING = ""


class Words:
    """Says what a row holds; names of groups, hospitals, sessions and rules are read once."""

    def __init__(self, session: DbSession) -> None:
        self._session = session
        self._names: dict[str, Names] = {}
        self._read: dict[str, Callable[[DbSession], Names]] = {
            "group_id": _groups,
            "connection_id": _hospitals,
            "session_id": _sessions,
            "rules_id": _rules,
        }

    def of(self, row: Row, column: str) -> str:
        """Return one value of a row."""
        value = getattr(row, column)
        if value is None:
            return NOTHING
        if column in self._read:
            return self._name(column, value)
        if column in {"answers"}:
            return _answers(row, value)
        return said(value)

    def _name(self, column: str, key: UUID) -> str:
        if column not in self._names:
            self._names[column] = self._read[column](self._session)
        return self._names[column].get(key, NOTHING)


def said(value: Any) -> str:  # noqa: ANN401 - a value of any column
    """Return a value that needs no other row."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Enum):
        return str(value.value).replace("-", " ")
    if isinstance(value, datetime):
        return f"{value.day} {value:%B %Y, %H:%M} UTC"
    if isinstance(value, date):
        return f"{value.day} {value:%B %Y}"
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, list | dict):
        return orjson.dumps(value).decode() if value else NOTHING
    return str(value)


def _answers(row: Row, answers: dict[str, int]) -> str:
    """Return each question with its answer; those of another version of it by number alone."""
    definition = _definition(row)
    if definition is None:
        return "\n".join(f"{link}: {score}" for link, score in answers.items())
    return "\n".join(
        f"{item.text}: {chosen.display if chosen else answers[item.link_id]}"
        for item in definition.items
        if item.link_id in answers
        for chosen in (item.answer_scoring(answers[item.link_id]),)
    )


def _definition(row: Row) -> Instrument | None:
    try:
        return instrument(getattr(row, "instrument"), getattr(row, "instrument_version"))  # noqa: B009
    except (AttributeError, LookupError):
        return None


def _groups(session: DbSession) -> Names:
    return dict(session.exec(select(SupportGroup.id, SupportGroup.public_name)).all())


def _hospitals(session: DbSession) -> Names:
    return dict(session.exec(select(Connection.id, Connection.name)).all())


def _sessions(session: DbSession) -> Names:
    found = select(Session.id, Session.start, SupportGroup.public_name).join(SupportGroup)
    return {key: f"{name}, {said(start)}" for key, start, name in session.exec(found)}


def _rules(session: DbSession) -> Names:
    found = select(RulesVersion.id, RulesVersion.number, RulesVersion.in_force_from)
    return {key: f"version {number}, from {said(at)}" for key, number, at in session.exec(found)}
