"""Values of rows in plain words, as the page for the person has them."""

from collections.abc import Callable
from datetime import date, datetime
from enum import Enum
from typing import Any
from uuid import UUID

import orjson
from sqlmodel import Session as DbSession
from sqlmodel import select

from service.instruments import Instrument, Item, instrument
from service.models.base import Row
from service.models.connections import Connection
from service.models.groups import Session, SupportGroup
from service.models.rules import RulesVersion
from service.models.safety import Contact
from service.models.screening import Response, ResponseChange
from service.subjects import terms
from service.subjects.holdings import CONSENTS

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
            "contact_id": _contacts,
        }

    def of(self, row: Row, column: str) -> str:
        """Return one value of a row."""
        value = getattr(row, column)
        if value is None:
            return NOTHING
        if column in self._read:
            return self._name(column, value)
        if column in OF_RESPONSES:
            return OF_RESPONSES[column](self._response(row), value)
        return _before(value) if column == "said" else _told(column, value)

    def _response(self, row: Row) -> Response | None:
        if isinstance(row, ResponseChange):
            return self._session.get(Response, row.response_id)
        return row if isinstance(row, Response) else None

    def _name(self, column: str, key: UUID) -> str:
        if column not in self._names:
            self._names[column] = self._read[column](self._session)
        return self._names[column].get(key, NOTHING)


def said(value: Any) -> str:  # noqa: ANN401 - a value of any column
    """Return a value that needs no other row."""
    for kind, word in WORDS:
        if isinstance(value, kind):
            return word(value)
    return str(value)


# The first that fits: a truth value is a number, and a moment a date.
WORDS: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (bool, lambda value: "yes" if value else "no"),
    (Enum, lambda value: str(value.value).replace("-", " ")),
    (datetime, lambda value: f"{value.day} {value:%B %Y, %H:%M} UTC"),
    (date, lambda value: f"{value.day} {value:%B %Y}"),
    (bytes, lambda value: value.decode("utf-8", "replace")),
    (list, lambda value: orjson.dumps(value).decode() if value else NOTHING),
    (dict, lambda value: orjson.dumps(value).decode() if value else NOTHING),
)


def _answers(row: Response | None, answers: dict[str, int]) -> str:
    """Return each question with its answer; those of another version of it by number alone."""
    definition = _definition(row)
    if definition is None:
        return "\n".join(f"{link}: {score}" for link, score in answers.items())
    return "\n".join(
        f"{item.text or item.link_id}: {_answer(item, answers[item.link_id])}"
        for item in definition.items
        if item.link_id in answers
    )


def _answer(item: Item, value: int) -> str:
    """Return the words of an answer, its value where its text may not be shipped."""
    chosen = item.chosen(value)
    return str(value) if chosen is None else chosen.display or str(value)


def _definition(row: Response | None) -> Instrument | None:
    try:
        return None if row is None else instrument(row.instrument, row.instrument_version)
    except LookupError:
        return None


def _scores(row: Response | None, scores: dict[str, float | None]) -> str:
    definition = _definition(row)
    names = {each.id: each.display for each in definition.scores} if definition else {}
    return "\n".join(
        f"{names.get(name, name)}: {value}" for name, value in scores.items() if value is not None
    )


OF_RESPONSES: dict[str, Callable[[Response | None, dict[str, Any]], str]] = {
    "answers": _answers,
    "scores": _scores,
}


def _told(column: str, value: Any) -> str:  # noqa: ANN401 - a value of any column
    return terms.WORDS[column](value) if column in terms.WORDS else said(value)


def _before(values: dict[str, Any]) -> str:
    """Return what a consent said before, as the consent itself is shown."""
    found = {
        title: _told(column, values[column])
        for column, title in CONSENTS.shows.items()
        if values.get(column) is not None
    }
    return "\n".join(f"{title}: {value}" for title, value in found.items() if value)


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


def _contacts(session: DbSession) -> Names:
    return dict(session.exec(select(Contact.id, Contact.name)).all())
